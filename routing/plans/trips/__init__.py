"""The planner of trips: one store until the bag is empty."""
