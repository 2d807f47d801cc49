"""Tests of halfhour.travel."""
