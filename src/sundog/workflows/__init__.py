"""The order of steps and their undo; the outside is named in ports.py."""
