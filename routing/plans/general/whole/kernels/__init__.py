"""Kernels of the laws and prices of a plan as a whole."""
