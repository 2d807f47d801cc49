"""Exact small-sample statistics of paired differences."""
