"""The truth of a live service: one protocol, and its embedded form on SQLite."""
