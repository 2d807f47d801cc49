"""Small problems of every kind that `halfhour solve` knows, against their proven optimum."""
