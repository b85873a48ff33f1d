"""Whether the records of all hosts agree, and making them agree again."""
