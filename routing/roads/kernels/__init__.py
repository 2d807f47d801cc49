"""Compiled inner loops of the road network.  Numba is imported nowhere else in `routing.roads`."""
