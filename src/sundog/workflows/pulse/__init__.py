"""What goes on by itself: heartbeats, and jobs that wait for what is away."""
