"""One city on streets: its network under traffic, travel times, ways and maps."""
