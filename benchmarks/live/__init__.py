"""A live service under load, restarts and long days."""
