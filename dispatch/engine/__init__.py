"""The engine: inputs in, events out."""
