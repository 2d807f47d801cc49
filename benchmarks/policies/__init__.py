"""Policies to compare with, each one file that `halfhour replay --policy` can load."""
