"""The general planner: routes of any shape."""
