"""Laws and prices of a plan as a whole: what comes before what, how many vehicles, how long the longest route is."""
