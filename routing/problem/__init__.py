"""A planning problem: its arrays, its one evaluator, its audit, its file formats."""
