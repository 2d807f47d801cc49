"""From the socket to a route: server, connections, the door, manners of answers."""
