"""What the engine decides, one module a subject."""
