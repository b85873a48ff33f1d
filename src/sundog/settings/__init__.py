"""The settings: one frozen tree, read and checked once at start."""
