"""Compiled inner loops of coverage."""
