"""Why a trip goes as it does: where its ends were put, what lay nearer, and which faster way is not allowed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.roads.city.network import MAX_SNAP_M, RoadNetwork
from routing.roads.hierarchy.graphs import TurnGraph
from routing.roads.hierarchy.metric import FAR_MS
from routing.roads.snapping.stops import Stops
from routing.roads.streets import SHUT
from routing.roads.turns.turns import OPEN


def check_trip(
    network: RoadNetwork,
    origin: Sequence[float],
    destination: Sequence[float],
    *,
    profile: str,
    at: int | None = None,
    max_snap_m: float = MAX_SNAP_M,
    access: Sequence[Sequence[float] | None] = (None, None),
) -> dict[str, Any]:
    """What is known of a trip between two points (lat, lng), as JSON values; `access`: as `RoadNetwork.path` takes it.

    `origin`, `destination`: where one stops for them (`closed`: nobody gets in at the time, only out), and streets
    that lie nearer and were refused; `way`: seconds and
    streets; `refused_way`: the fastest way if every turn were free, with what it breaks; None where nothing is faster.
    Raises what `RoadNetwork.path` raises.
    """
    way = network.path(origin, destination, profile=profile, at=at, max_snap_m=max_snap_m, access=access)
    both = tuple(zip((origin, destination), access, strict=True))
    looked_at = [np.array([point if own is None else own]) for point, own in both]
    ends = [
        network.stops(
            np.array([point]), profile=profile, at=at, max_snap_m=max_snap_m,
            access=None if own is None else np.array([own], dtype=np.float64),
        )
        for point, own in both
    ]  # fmt: skip
    told = [_end(network, *end, profile, at, max_snap_m) for end in zip(looked_at, ends, strict=True)]
    return {
        "profile": profile,
        "origin": told[0],
        "destination": told[1],
        "way": {"found": way.found, "seconds": way.seconds if way.found else None, "streets": list(way.streets)},
        "refused_way": _refused(network, ends, profile, at, way.seconds, max_snap_m),
    }


def _end(
    network: RoadNetwork, point: NDArray[np.float64], stops: Stops, profile: str, at: int | None, max_snap_m: float
) -> dict[str, Any]:
    closed = network.state.closed(profile, at)
    kept = [
        {
            "street": _street(network, edge),
            "metres": round(metres, 1),
            "walk_seconds": walk_ms / 1000.0,
            "part": _part(network, profile, edge),
            "closed": bool(closed[:, edge].all()),
        }
        for edge, metres, walk_ms in zip(
            stops.edge[0].tolist(), stops.metres[0].tolist(), stops.walk_ms[0].tolist(), strict=True
        )
        if edge >= 0
    ]
    everything = np.ones(network.streets.edges, dtype=np.bool_)
    near = network.lookup.grid.near(point, everything, float(stops.metres[0, 0]), max_snap_m, 8)
    refused = [
        {"street": _street(network, edge), "metres": round(metres, 1), "why": why}
        for edge, metres in zip(near[0][0].tolist(), near[2][0].tolist(), strict=True)
        if edge >= 0 and edge not in stops.edge[0] and (why := _why_not(network, profile, at, edge))
    ]
    return {"stops": kept, "refused": refused}


def _street(network: RoadNetwork, edge: int) -> str:
    s = network.streets
    return s.names[s.name[edge]] or f"{s.classes[s.road_class[edge]]} (way {int(s.way[edge])})"


def _part(network: RoadNetwork, profile: str, edge: int) -> int:
    graph = network.graph(profile)
    return int(graph.turns.island[edge]) if isinstance(graph, TurnGraph) else 0


def _why_not(network: RoadNetwork, profile: str, at: int | None, edge: int) -> str:
    s = network.streets
    if (s.drive_ms[s.profiles.index(profile), :, edge] == SHUT).all():
        return f"closed to {profile}, or nobody can get there and back"
    if edge in network.state.off_hours(profile, at):
        return f"closed to {profile} at this time"
    if network.state.closed(profile, at)[:, edge].all():
        return f"closed to {profile} by traffic"
    if not s.stops[edge]:
        return "nobody stops on a motorway, on a bridge or in a tunnel"
    if _part(network, profile, edge) > 0:
        return "apart from the main network"
    return ""


def _refused(
    network: RoadNetwork, ends: Sequence[Stops], profile: str, at: int | None, seconds: float, max_snap_m: float
) -> dict[str, Any] | None:
    graph = network.graph(profile)
    if not isinstance(graph, TurnGraph):
        return None
    free = RoadNetwork(network.streets)
    spots = [free.latlng_of(each.edge[0, :1], each.fraction[0, :1]) for each in ends]
    way = free.path(spots[0][0], spots[1][0], profile=profile, max_snap_m=max_snap_m)
    broken = _broken(network, profile, at, graph, way.edges, way.against) if way.found else []
    if not broken or way.seconds >= seconds:
        return None
    return {"seconds": way.seconds, "streets": list(way.streets), "breaks": broken}


def _broken(
    network: RoadNetwork, profile: str, at: int | None, graph: TurnGraph, edges: NDArray[np.int32],
    against: NDArray[np.bool_],
) -> list[str]:  # fmt: skip
    """What a way breaks: turns that are not there at the time, and streets for ends only between others."""
    turns, state = graph.turns, network.state
    codes = (2 * edges + against).tolist()
    holds = graph.weights(state.weights(profile, at), state.holding(at), None, state.closed(profile, at)) != FAR_MS
    source, target = turns.source[holds], turns.target[holds]
    code = turns.code.astype(np.int64)
    allowed = set((code[source] * (2 * network.streets.edges) + code[target]).tolist())
    told = [
        f"no turn from {_street(network, a >> 1)} into {_street(network, b >> 1)}"
        for a, b in itertools.pairwise(codes)
        if a * 2 * network.streets.edges + b not in allowed
    ]
    passed = np.zeros(turns.nodes, dtype=np.bool_)
    passed[target] = True
    limited = ~np.isin(codes, turns.code[passed & (turns.phase == OPEN)])
    open_ = np.flatnonzero(~limited)
    if len(open_):
        inner = [k for k in range(int(open_[0]), int(open_[-1])) if limited[k]]
        told += [f"{name} is for ends only" for name in dict.fromkeys(_street(network, codes[k] >> 1) for k in inner)]
    return told
