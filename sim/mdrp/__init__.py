"""The published meal-delivery problem: files and a judge of its rules."""
