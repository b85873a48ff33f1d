"""Keys, read and made by ``cryptography``."""
