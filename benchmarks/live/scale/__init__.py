"""A market in PostgreSQL against one in a folder, faults, moves and many markets: `python -m benchmarks.live.scale`."""
