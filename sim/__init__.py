"""The simulator: a city of true riders, stores and customers, and a host that replays a day against the engine."""
