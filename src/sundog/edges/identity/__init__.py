"""Where users are told: a file."""
