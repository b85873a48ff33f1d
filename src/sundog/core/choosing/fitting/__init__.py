"""The search: guest cells onto host cells, and device requests onto cards."""
