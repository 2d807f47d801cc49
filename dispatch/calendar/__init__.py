"""Time as people tell it: clocks on the wall, opening hours."""
