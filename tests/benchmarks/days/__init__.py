"""Tests of benchmarks.days."""
