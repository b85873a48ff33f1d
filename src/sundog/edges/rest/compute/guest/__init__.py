"""What is inside a guest, or hangs on it: consoles, passwords, ports, volumes."""
