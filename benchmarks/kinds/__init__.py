"""Each kind of order against the same days without it."""
