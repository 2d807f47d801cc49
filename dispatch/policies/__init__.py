"""Baselines that a student can read: nearest, greedy, batch."""
