"""Streets from an osmnx graph: one in memory, a graphml file, or a place fetched by name."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.errors import InvalidInput, UnreadableFile, Unsupported
from routing.roads.errors import NoRoads
from routing.roads.source.hours import Side
from routing.roads.source.osm import may_stop
from routing.roads.source.profiles import Profile, tags_read
from routing.roads.streets import OSM_ATTRIBUTION, Streets, drive_time_ms, number_words

CANNOT_TELL = ("turn restrictions", "barriers", "traffic lights that simplification dropped")
"""What an osmnx graph does not hold."""
MOST_MIXTURES = 16
"""Ways that one edge of the graph is taken to be made of, where its attributes are lists."""
Ends = tuple[dict[str, Any], dict[str, Any]]
"""What the graph says of an edge in its direction, and of its twin in the other."""
Edge = tuple[Any, Any, Ends, dict[str, Any]]
"""The nodes of an edge, what the graph says of it, and its tags."""


def _osmnx() -> Any:
    try:
        import osmnx
    except ImportError as error:
        raise Unsupported("this needs osmnx", hint='Install "halfhour[maps]".') from error
    return osmnx


def read_graphml(path: Path, profiles: Sequence[Profile]) -> Streets:
    """The streets of a graph that osmnx saved.  Raises UnreadableFile, NoRoads."""
    osmnx = _osmnx()
    if not path.is_file():
        raise UnreadableFile("there is no such file", file=str(path))
    try:
        graph = osmnx.load_graphml(path)
    except Exception as error:  # osmnx lets every parser's own error through
        raise UnreadableFile(f"the file cannot be read as graphml of osmnx: {error}", file=str(path)) from error
    return streets_of_graph(graph, profiles)


def fetch_place(place: str, profiles: Sequence[Profile]) -> Streets:
    """The streets of a place by name, fetched from OpenStreetMap.  Needs the network; raises NoRoads, InvalidInput."""
    osmnx = _osmnx()
    osmnx.settings.useful_tags_way = sorted({*osmnx.settings.useful_tags_way, *tags_read(profiles)})
    try:
        graph = osmnx.graph_from_place(place, network_type="all", simplify=True, retain_all=True)
    except Exception as error:  # network, name service and parser each have their own
        # What is wrong with a connection fills a page; what a name service says of a place fits a line.
        why = "there is no connection" if isinstance(error, OSError) else str(error)
        raise InvalidInput(
            f"the place {place!r} could not be fetched: {why}",
            code="place_not_fetched",
            hint="This needs the network; without it, build from a file.",
        ) from error
    return streets_of_graph(graph, profiles)


def streets_of_graph(graph: Any, profiles: Sequence[Profile]) -> Streets:
    """The streets of an osmnx MultiDiGraph in degrees (not projected).

    An edge and its twin in the other direction become one.  Raises InvalidInput for a graph that is none of osmnx's.
    """
    if not (hasattr(graph, "nodes") and hasattr(graph, "edges")):
        raise InvalidInput(f"this is no graph of osmnx but a {type(graph).__name__}", code="invalid_graph")
    nodes = sorted(graph.nodes)
    index = {node: i for i, node in enumerate(nodes)}
    try:
        lat = np.array([float(graph.nodes[node]["y"]) for node in nodes])
        lng = np.array([float(graph.nodes[node]["x"]) for node in nodes])
        edges = _merge_twins(graph, tags_read(profiles))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"the graph lacks what osmnx graphs have: {error}", code="invalid_graph") from error
    if not edges:
        raise NoRoads("the graph has no edges")
    if not (np.abs(lat) <= 90).all() or not (np.abs(lng) <= 180).all():
        raise InvalidInput("the graph is projected; give it in degrees", code="invalid_graph")
    signal = [graph.nodes[node].get("highway") == "traffic_signals" for node in nodes]
    kmh, ends_only, stops = _allowed(edges, profiles)
    tail = np.array([index[u] for u, _, _, _ in edges], dtype=np.int32)
    head = np.array([index[v] for _, v, _, _ in edges], dtype=np.int32)
    length_cm = _lengths_cm(edges)
    arrives = np.array([[signal[h] for h in head.tolist()], [signal[t] for t in tail.tolist()]], dtype=np.int64)
    classes, class_names = number_words([_first(tags.get("highway", "road")) for _, _, _, tags in edges])
    names, name_list = number_words([_first(tags.get("name") or tags.get("ref") or "") for _, _, _, tags in edges])
    start, shape_lat, shape_lng = _shapes(edges, lat, lng, index)
    way = [_first(both[0].get("osmid")) for _, _, both, _ in edges]
    return Streets(
        lat=lat,
        lng=lng,
        tail=tail,
        head=head,
        length_cm=length_cm,
        road_class=classes.astype(np.int16),
        classes=class_names,
        name=names.astype(np.int32),
        names=name_list,
        way=np.array([int(each) if str(each).isdigit() else -1 for each in way], dtype=np.int64),
        shape_start=start,
        shape_lat=shape_lat,
        shape_lng=shape_lng,
        profiles=tuple(profile.name for profile in profiles),
        drive_ms=drive_time_ms(length_cm, kmh),
        wait_ms=np.stack([np.rint(arrives * profile.signal_s * 1000) for profile in profiles]).astype(np.int32),
        attribution=OSM_ATTRIBUTION,
        ends_only=ends_only,
        stops=stops,
        facts={
            "missing_references": 0,
            "turn_restrictions": 0,
            "signals": sum(signal),
            "barriers": 0,
            "cannot_tell": list(CANNOT_TELL),
        },
    )


def _merge_twins(graph: Any, keys: Sequence[str]) -> list[Edge]:
    """Edges with their tags of these keys; of an edge and its twin the first, open both ways.

    The graph's edges are the truth: what has no edge back is open one way, whatever `oneway` says.
    """
    waiting: dict[tuple[Any, ...], list[int]] = {}
    edges: list[Edge] = []
    for u, v, data in graph.edges(data=True):
        name = (repr(sorted(str(part) for part in _all(data.get("osmid")))), round(float(data["length"]), 1))
        single = str(data.get("oneway")) in ("True", "yes", "1", "-1") or not graph.has_edge(v, u)
        twin = waiting.get((v, u, *name))
        if not single and twin:
            first = twin.pop()
            edges[first] = (*edges[first][:2], (edges[first][2][0], data), edges[first][3])
            continue
        if not single:
            waiting.setdefault((u, v, *name), []).append(len(edges))
        tags = {key: _values(data[key]) for key in (*keys, "name", "ref") if data.get(key) is not None}
        # The graph's edges already point the way they may be driven.
        tags["oneway"] = ["yes" if single else "no"]
        edges.append((u, v, (data, data), {key: each[0] if len(each) == 1 else each for key, each in tags.items()}))
    return edges


def _lengths_cm(edges: Sequence[Edge]) -> NDArray[np.int32]:
    length_m = np.array([float(both[0]["length"]) for _, _, both, _ in edges])
    good = (length_m >= 0) & (length_m < 2e7)
    if not good.all():
        u, v, _, _ = edges[int(np.argmin(good))]
        raise InvalidInput(f"the length of the edge from {u} to {v} is none", code="invalid_graph")
    lengths: NDArray[np.int32] = np.rint(length_m * 100).astype(np.int32)
    return lengths


def _allowed(
    edges: Sequence[Edge], profiles: Sequence[Profile]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Km/h and whether for ends only, [profile, 2, e] each, and where one may stop, bool[e]."""
    kmh = np.zeros((len(profiles), 2, len(edges)))
    ends_only = np.zeros(kmh.shape, dtype=np.bool_)
    stops = np.zeros(len(edges), dtype=np.bool_)
    try:
        for e, (_, _, both, tags) in enumerate(edges):
            mixed = list(_mixtures(tags))
            stops[e] = any(may_stop(each) for each in mixed)
            for p, profile in enumerate(profiles):
                each = [profile.ridden(one) for one in mixed]
                ends_only[p, :, e] = [any(sides[d][1] for sides in each) for d in (0, 1)]
                kmh[p, :, e] = _speeds(profile, both, each)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the graph's own speeds cannot be used: {error}", code="invalid_graph") from error
    return kmh, ends_only & (kmh > 0), stops


def _mixtures(tags: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The tags of the ways that an edge with lists of attributes is taken to be made of."""
    lists = [key for key, value in tags.items() if isinstance(value, list) and key not in ("name", "ref")]
    for chosen in itertools.islice(itertools.product(*(tags[key] for key in lists)), MOST_MIXTURES):
        yield {**tags, **dict(zip(lists, chosen, strict=True))}


def _speeds(profile: Profile, both: Ends, each: Sequence[tuple[Side, Side]]) -> tuple[float, float]:
    """Speeds along and against: where cars may go those of the graph's own `travel_time` or `speed_kph`, if it has any.

    `each`: what the ways of an edge allow; they are of one length, and it is open where all of them are.
    """
    found = []
    for direction, data in enumerate(both):
        kmh = [sides[direction][0] for sides in each]
        mean = len(kmh) / sum(1.0 / one for one in kmh) if min(kmh) > 0 else 0.0
        own = _own_kmh(data) if profile.maxspeed == "sets" and mean > 0 else 0.0
        found.append(min(own, profile.max_kmh) if own else mean)
    return found[0], found[1]


def _own_kmh(data: dict[str, Any]) -> float:
    """The speed that the user gave an edge, 0 where there is none.  Raises ValueError where it is no speed."""
    for key, kmh in (("travel_time", lambda s: float(data["length"]) / s * 3.6), ("speed_kph", lambda v: v)):
        if data.get(key) is not None:
            given = float(data[key])
            if not 0 < given < float("inf"):
                raise ValueError(f"{key} must be above zero, not {data[key]!r}")
            return float(kmh(given))
    return 0.0


def _values(value: Any) -> list[str]:
    """An attribute's values in an order of their own: osmnx keeps them in that of a set, which differs by run."""
    return sorted({str(each) for each in _all(value)})


def _shapes(edges: Sequence[tuple[Any, Any, Ends, Any]], lat: Any, lng: Any, index: Any) -> tuple[Any, Any, Any]:
    start, all_lat, all_lng = [0], [], []
    for u, v, both, _ in edges:
        line = both[0].get("geometry")
        if line is None:
            points = [(lng[index[u]], lat[index[u]]), (lng[index[v]], lat[index[v]])]
        else:
            points = list(line.coords)
        all_lng += [point[0] for point in points]
        all_lat += [point[1] for point in points]
        start.append(len(all_lat))
    return np.array(start, dtype=np.int64), np.array(all_lat), np.array(all_lng)


def _all(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _first(value: Any) -> Any:
    """Of several values the least: osmnx keeps them in the order of a set, which differs from run to run."""
    return min(_all(value), key=str)
