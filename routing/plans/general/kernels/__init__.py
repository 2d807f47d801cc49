"""Compiled inner loops of the general planner."""
