"""Open file formats of planning problems, read into a Problem and written back."""
