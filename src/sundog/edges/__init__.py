"""All I/O, one folder per outside world; no edge imports another."""
