"""Experiments: how much sooner they end where more works at them."""
