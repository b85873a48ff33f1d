"""One device kind, one file: how it is made ready, freed, and written in a guest."""
