"""What a VROOM input says of the whole plan (ours): what follows what, how many vehicles, the longest route."""
