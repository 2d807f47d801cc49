"""Tests of benchmarks.live."""
