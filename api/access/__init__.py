"""Who may do what, and how much of it: keys, rules, limits, lanes."""
