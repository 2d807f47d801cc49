"""Experiments: many replays, paired by day and luck, and what may be said of their differences."""
