"""Actions on servers: each an errand that ends, or goes back to where it began."""
