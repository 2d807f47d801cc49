"""Halfhour: a dispatch engine for 30-minute delivery.

    import halfhour
    result = halfhour.replay("my-day/", policy="halfhour")
    result.summary["on_time_share"], result.orders, result.riders

Everything a user needs is imported from here; names are loaded when they are first used, so that importing the package
costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dispatch.version import __version__

if TYPE_CHECKING:
    from dispatch.config import Settings
    from dispatch.policy import Policy
    from halfhour.replaying import Replay, replay
    from halfhour.solving import solve
    from routing.errors import HalfhourError
    from routing.places import LatLng, PlaceBook
    from routing.roads import RoadNetwork
    from sim.scenario import Scenario

_HOME = {
    "HalfhourError": "routing.errors",
    "LatLng": "routing.places",
    "PlaceBook": "routing.places",
    "Policy": "dispatch.policy",
    "Replay": "halfhour.replaying",
    "RoadNetwork": "routing.roads",
    "Scenario": "sim.scenario",
    "Settings": "dispatch.config",
    "replay": "halfhour.replaying",
    "solve": "halfhour.solving",
}
"""Where each public name lives."""

__all__ = [
    "HalfhourError",
    "LatLng",
    "PlaceBook",
    "Policy",
    "Replay",
    "RoadNetwork",
    "Scenario",
    "Settings",
    "__version__",
    "replay",
    "solve",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'halfhour' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
