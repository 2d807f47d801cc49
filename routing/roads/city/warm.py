"""Every road kernel compiled, or read from the cache, before the first real question."""

from __future__ import annotations

import numpy as np

from routing.places import PlaceBook
from routing.roads.city.build import connect
from routing.roads.city.network import RoadNetwork
from routing.roads.city.travel import road_travel
from routing.roads.source.arrays import streets_from_arrays
from routing.roads.source.junctions import RawJunctions
from routing.roads.source.profiles import make_profiles, read_tables
from routing.roads.traffic.traffic import SpeedRule


def warm_up_roads() -> None:
    """Run every road kernel once on a town of four blocks, with turns and without."""
    side = 5
    node = np.arange(side * side).reshape(side, side)
    lat, lng = np.divmod(np.arange(side * side), side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    streets, _ = streets_from_arrays(lat * 1e-3, lng * 1e-3, tail, head, profiles=("car",))
    mapped, turns = connect(streets, RawJunctions(), make_profiles(("car",), read_tables()))
    for town in (RoadNetwork(streets), RoadNetwork(mapped, turns=turns)):
        _ask(town)


def _ask(town: RoadNetwork) -> None:
    places = PlaceBook("wgs84")
    handles = np.array([places.add(0.0, 0.0), places.add(0.0035, 0.0021)], dtype=np.int32)
    travel = road_travel(town, places, ("car",))
    travel.table(handles, handles, 0)
    travel.metres(handles, handles, 0)
    town.update_speeds([SpeedRule(0.9)])
    town.path((0.0, 0.0), (0.0035, 0.0021), profile="car")
    town.reachable((0.0, 0.0), 60, profile="car")
