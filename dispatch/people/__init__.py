"""Riders are people: whom they need not meet, when they rest, and what they are told of decisions about them."""
