"""What a guest asks for: aliases, flavor extra specs, and the request they make."""
