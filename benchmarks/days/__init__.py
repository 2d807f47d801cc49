"""Whole days: published tables and their pages."""
