"""The domain and the engine: orders, riders and stores on a Board; rounds; commitments.  Pure: no clock, no I/O."""
