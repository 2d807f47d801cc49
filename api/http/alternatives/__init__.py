"""Sources and ends of a delivery on the wire: as they are named, and as they are shown."""
