"""A round: the open part of the board as arrays, solved, and the changes that follow."""
