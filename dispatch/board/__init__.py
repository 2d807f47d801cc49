"""The state of a city: one board of records, changed by events alone."""
