"""Compiled inner loops of planning.  Numba is imported nowhere else in `routing.plans`."""
