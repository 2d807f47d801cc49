"""Compiled inner loops of the planner of trips."""
