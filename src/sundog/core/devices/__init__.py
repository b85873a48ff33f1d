"""What a host can hand out, and the operator's rules about it."""
