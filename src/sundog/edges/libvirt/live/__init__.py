"""A real host: a connection that lasts, devices followed by events, guests' files."""
