"""What is measured on: days, cities, snapshots, public data."""
