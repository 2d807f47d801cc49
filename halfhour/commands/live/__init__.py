"""Commands around a live service."""
