"""What OR-Tools does for a plan: exact assignment, polish."""
