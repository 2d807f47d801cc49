"""Rounds in a process of their own: it knows arrays and answers, and no host."""
