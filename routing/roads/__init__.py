"""Exact travel times over a street network: import, profiles, hierarchy, traffic, paths."""

from routing.roads.city.network import RoadNetwork
from routing.roads.city.news import LiveSpeeds, TrafficNews
from routing.roads.city.paths import RoadPath
from routing.roads.city.travel import RoadTravel, road_travel
from routing.roads.traffic.traffic import EdgeFactors, SpeedRule, TrafficTable

__all__ = [
    "EdgeFactors", "LiveSpeeds", "RoadNetwork", "RoadPath", "RoadTravel", "SpeedRule", "TrafficNews", "TrafficTable",
    "road_travel",
]  # fmt: skip
