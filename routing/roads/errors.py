"""Errors of the road network; every one names the file, element or index that is wrong."""

from __future__ import annotations

from routing.errors import InvalidInput, UnreadableFile


class InvalidStreets(InvalidInput):
    """The arrays of a street graph contradict each other."""

    code = "invalid_streets"


class NoRoads(InvalidInput):
    """No street that any of the asked profiles may use is left."""

    code = "no_roads"


class TooFarFromRoad(InvalidInput):
    """A point lies farther from every allowed road than `max_snap_m`."""

    code = "too_far_from_road"


class UnknownNode(InvalidInput):
    """A node index that the network does not have."""

    code = "unknown_node"


class UnknownProfile(InvalidInput):
    """A profile that the network was not built with, or that the profile tables do not describe."""

    code = "unknown_profile"


class InvalidSpeed(InvalidInput):
    """A speed or a speed factor that is zero, negative or no number."""

    code = "invalid_speed"


class InvalidTraffic(InvalidInput):
    """A traffic table or a traffic update that cannot be understood."""

    code = "invalid_traffic"


class OutsideTraffic(InvalidInput):
    """A time that the traffic table does not cover."""

    code = "outside_traffic"


class WrongVersion(UnreadableFile):
    """A city file that another version of the format wrote."""

    code = "wrong_version"


class InvalidTrace(InvalidInput):
    """Positions of a trip that cannot be, or a table of them that cannot be understood."""

    code = "invalid_trace"
