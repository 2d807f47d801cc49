"""Tests of api.matrix."""
