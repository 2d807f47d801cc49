"""What every room of the service stands on: errors, ids, the clock, signed statements."""
