"""What a running market does beside deciding."""
