"""Streets from whatever holds them: OpenStreetMap files, osmnx graphs, arrays."""
