"""What projects and their users keep beside servers."""
