"""What keeps a device back, or rules from turning it into another."""
