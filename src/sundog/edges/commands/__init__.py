"""Commands that the operator names, run as processes."""
