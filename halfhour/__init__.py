"""Halfhour: a dispatch engine for 30-minute delivery.

    import halfhour
    result = halfhour.replay("my-day/", policy="halfhour")
    result.summary["on_time_share"], result.orders, result.riders

Everything a user needs is imported from here; names are loaded when they are first used, so that importing the package
costs nothing.  What is not in `__all__` may change between versions; a name in it is kept for one release after another
has taken its place, and warns.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dispatch.version import __version__

if TYPE_CHECKING:
    from dispatch.policies.policy import Policy, SimplePolicy
    from dispatch.policies.view import Plan, View
    from dispatch.settings.settings import Settings
    from halfhour.client import Client
    from halfhour.modelling import Model, ModelSolution, Pause, Stay, no_improvement, target
    from halfhour.replaying import Replay, replay
    from halfhour.solving import check_plan, solve
    from halfhour.synthetic import invent_day
    from routing.errors import HalfhourError
    from routing.places import LatLng, PlaceBook
    from routing.problem.build import make_problem
    from routing.problem.problem import Problem, Solution, Travel
    from routing.roads import RoadNetwork
    from sim.scenario import Scenario

_HOME = {
    "Client": "halfhour.client",
    "HalfhourError": "routing.errors",
    "LatLng": "routing.places",
    "Model": "halfhour.modelling",
    "ModelSolution": "halfhour.modelling",
    "Pause": "halfhour.modelling",
    "PlaceBook": "routing.places",
    "Plan": "dispatch.policies.view",
    "Policy": "dispatch.policies.policy",
    "Problem": "routing.problem.problem",
    "Replay": "halfhour.replaying",
    "RoadNetwork": "routing.roads",
    "Scenario": "sim.scenario",
    "Settings": "dispatch.settings.settings",
    "SimplePolicy": "dispatch.policies.policy",
    "Solution": "routing.problem.problem",
    "Stay": "halfhour.modelling",
    "Travel": "routing.problem.problem",
    "View": "dispatch.policies.view",
    "check_plan": "halfhour.solving",
    "invent_day": "halfhour.synthetic",
    "make_problem": "routing.problem.build",
    "no_improvement": "halfhour.modelling",
    "replay": "halfhour.replaying",
    "solve": "halfhour.solving",
    "target": "halfhour.modelling",
}
"""Where each public name lives."""

__all__ = [
    "Client",
    "HalfhourError",
    "LatLng",
    "Model",
    "ModelSolution",
    "Pause",
    "PlaceBook",
    "Plan",
    "Policy",
    "Problem",
    "Replay",
    "RoadNetwork",
    "Scenario",
    "Settings",
    "SimplePolicy",
    "Solution",
    "Stay",
    "Travel",
    "View",
    "__version__",
    "check_plan",
    "invent_day",
    "make_problem",
    "no_improvement",
    "replay",
    "solve",
    "target",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'halfhour' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
