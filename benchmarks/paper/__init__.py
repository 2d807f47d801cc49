"""The published solver figures: every row of the table, with peers and seeds, one result a line, resumable."""
