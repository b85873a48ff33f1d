"""The migrations, each named by its place in the row."""
