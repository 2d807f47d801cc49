"""Where the travel times of a day come from, before it is replayed."""
