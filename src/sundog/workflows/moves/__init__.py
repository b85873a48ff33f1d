"""Moves of servers: resize, cold and live migration, evacuation."""
