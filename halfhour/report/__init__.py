"""The report of a replay: one HTML file that opens without a network."""
