"""Tests of benchmarks.lab."""
