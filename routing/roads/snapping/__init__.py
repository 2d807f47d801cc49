"""From points on the map to spots on streets."""
