"""One market under the wall clock: the host, and what it knows beside the board."""
