"""A host at one moment, and the Placement tree that it calls for."""
