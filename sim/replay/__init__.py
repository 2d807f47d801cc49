"""A day replayed against the engine."""
