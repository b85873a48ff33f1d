"""Who calls, and what a role allows."""
