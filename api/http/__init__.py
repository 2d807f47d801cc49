"""The service over HTTP: commands in, answers out."""
