"""Traffic: what changes travel times."""
