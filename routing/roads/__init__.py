"""Exact travel times over a street network: import, profiles, hierarchy, traffic, paths."""

from routing.roads.network import RoadNetwork
from routing.roads.news import TrafficNews
from routing.roads.paths import RoadPath
from routing.roads.traffic import EdgeFactors, SpeedRule, TrafficTable
from routing.roads.travel import RoadTravel, road_travel

__all__ = [
    "EdgeFactors", "RoadNetwork", "RoadPath", "RoadTravel", "SpeedRule", "TrafficNews", "TrafficTable", "road_travel",
]  # fmt: skip
