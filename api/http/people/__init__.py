"""Riders as people on the wire: whom they are kept apart from, what they are told of decisions about them."""
