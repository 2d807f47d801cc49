"""What phones report, and what they meant by it."""
