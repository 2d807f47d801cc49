"""The road network: a city's streets, exact travel times between any points of it, and traffic.

city = RoadNetwork.load("city.npz")
city.travel_seconds(origins, destinations, profile="bike")
city.path(here, there, profile="car").streets
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.roads.city.lookup import Lookup
from routing.roads.city.paths import RoadPath, find_best_path, reached_cells
from routing.roads.city.state import State, profile_index
from routing.roads.city.storage import load_city, save_city
from routing.roads.errors import InvalidTraffic, UnknownNode
from routing.roads.hierarchy.graphs import Graph, StreetTimes, graphs_of
from routing.roads.hierarchy.hierarchy import Hierarchy
from routing.roads.hierarchy.metric import FAR_MS, NO_WAY_MS, AnyHierarchy, MetricWork, Points
from routing.roads.snapping.snapping import Snaps, require_near
from routing.roads.snapping.spots import Spots
from routing.roads.snapping.stops import Stops, best_stops, stop_table
from routing.roads.streets import Streets, check_streets
from routing.roads.threads import in_background
from routing.roads.traffic.fifo import largest_decrease_s, some_nodes
from routing.roads.traffic.traffic import Conditions, Rule, TrafficTable, check_rule, digest_of
from routing.roads.traffic.traffic_file import parse_traffic, read_traffic, traffic_text
from routing.roads.turns.turns import Turns

MAX_SNAP_M = 500.0
OPENING = "opening"
"""The note of a city file that holds the traffic and weather it opens with."""


class RoadNetwork:
    """Streets with their hierarchy, and the traffic state that holds now.

    Readers take the state once per call, so that every answer is of one whole state while new ones are swapped in.
    """

    def __init__(
        self,
        streets: Streets,
        hierarchy: Hierarchy | None = None,
        *,
        turns: Sequence[Turns] = (),
        notes: Mapping[str, Any] | None = None,
        graphs: Mapping[str, Graph] | None = None,
    ) -> None:
        """`turns`: of every profile, where the streets tell of them; else crossings are the nodes of all profiles."""
        check_streets(streets)
        self.streets = streets
        self.graphs = dict(graphs or graphs_of(streets, turns, hierarchy))
        self.notes = dict(notes or {})
        self.lookup = Lookup(streets, self.graphs)
        self._swap = threading.Lock()
        self._digest = digest_of(
            *(bytes(a.data) for a in (streets.drive_ms, streets.wait_ms, streets.tail, streets.head)),
            *(bytes(a.data) for graph in self.graphs.values() for a in graph.digested()),
            *(bytes(a.data) for a in (streets.timed, streets.timed_ms) if len(a)),
            *(each.encode() for each in streets.conditions),
        )
        self._state = self._make(Conditions(), 1)

    @staticmethod
    def from_arrays(
        lat: Sequence[float] | NDArray[np.float64],
        lng: Sequence[float] | NDArray[np.float64],
        tail: Sequence[int] | NDArray[np.int32],
        head: Sequence[int] | NDArray[np.int32],
        length_m: Sequence[float] | NDArray[np.float64] | None = None,
        **options: Any,
    ) -> RoadNetwork:
        """A network that is no OpenStreetMap file; options are those of `source.arrays.streets_from_arrays`."""
        from routing.roads.source.arrays import streets_from_arrays

        streets, notes = streets_from_arrays(lat, lng, tail, head, length_m, **options)
        return RoadNetwork(streets, notes=notes)

    @staticmethod
    def from_osm(source: str | Path, **options: Any) -> RoadNetwork:
        """A network from an OpenStreetMap or graphml file; options are those of `build.read_city`."""
        from routing.roads.city.build import read_city

        streets, turns, notes = read_city(Path(source), **options)
        return RoadNetwork(streets, turns=turns, notes=notes)

    @staticmethod
    def from_place(place: str, **options: Any) -> RoadNetwork:
        """A network of a place by its name, fetched online; options are those of `build.read_place`."""
        from routing.roads.city.build import read_place

        streets, turns, notes = read_place(place, **options)
        return RoadNetwork(streets, turns=turns, notes=notes)

    @staticmethod
    def from_osmnx(graph: Any, **options: Any) -> RoadNetwork:
        """A network from an osmnx graph in memory; see `routing.roads.city.build.read_graph` for the options."""
        from routing.roads.city.build import read_graph

        streets, turns, notes = read_graph(graph, **options)
        return RoadNetwork(streets, turns=turns, notes=notes)

    @staticmethod
    def load(path: str | Path, *, traffic: str | Path | None = None, weather: str = "") -> RoadNetwork:
        """Read a city file, with the traffic file and weather given, or else those it was saved with.

        Raises UnreadableFile, WrongVersion, InvalidTraffic.
        """
        streets, graphs, notes = load_city(Path(path))
        network = RoadNetwork(streets, graphs=graphs, notes=notes)
        opening = network.notes.pop(OPENING, {"traffic": "", "weather": ""})
        table = None
        if traffic is not None:
            table = read_traffic(Path(traffic), streets, network.timezone)
        elif opening["traffic"]:
            table = parse_traffic(opening["traffic"], streets, str(path), network.timezone)
        if table is not None or weather or opening["weather"]:
            network._begin_with(table, weather or opening["weather"])
        return network

    def save(self, path: str | Path, *, traffic: str | Path | None = None, weather: str = "") -> None:
        """Write the city to `path`, whole or not at all; it opens with the traffic file and the weather given.

        What was set or reported at run time is not written.  Raises what `set_traffic` and `set_weather` raise.
        """
        notes = self.notes
        if traffic is not None or weather:
            text = "" if traffic is None else traffic_text(Path(traffic))
            table = None if traffic is None else parse_traffic(text, self.streets, str(traffic), self.timezone)
            self.twin()._begin_with(table, weather)
            notes = {**notes, OPENING: {"traffic": text, "weather": weather}}
        save_city(Path(path), self.streets, self.graphs, notes)

    def twin(self, conditions: Conditions | None = None) -> RoadNetwork:
        """A network of the same streets with a traffic state of its own: the truth beside an estimate.

        `conditions`: those it begins with (None: those that hold here).
        """
        other = RoadNetwork.__new__(RoadNetwork)
        other.__dict__.update(self.__dict__)
        other._swap = threading.Lock()
        other._state = other._make(conditions or self._state.conditions, self._state.version)
        return other

    # ---- what it is

    @property
    def profiles(self) -> tuple[str, ...]:
        """Profiles the network was built for."""
        return self.streets.profiles

    @property
    def attribution(self) -> str:
        """Who must be named on every map drawn from this network."""
        return self.streets.attribution

    @property
    def hierarchy(self) -> AnyHierarchy:
        """The hierarchy of the first profile (of all, where crossings are the nodes)."""
        return self.graphs[self.profiles[0]].hierarchy

    def graph(self, profile: str) -> Graph:
        """The graph that a profile's times are computed on.  Raises UnknownProfile."""
        profile_index(self.streets, profile)
        return self.graphs[profile]

    @property
    def latlng(self) -> NDArray[np.float64]:
        """(lat, lng) of every node, float64[n, 2]."""
        return np.stack([self.streets.lat, self.streets.lng], axis=1)

    def latlng_of(self, edge: NDArray[np.int32], fraction: NDArray[np.float64]) -> NDArray[np.float64]:
        """(lat, lng) of spots on edges, float64[k, 2]."""
        return self.lookup.grid.spots(edge, fraction)

    # ---- travel times

    def travel_ms(
        self,
        nodes_from: Sequence[int] | NDArray[np.int32],
        nodes_to: Sequence[int] | NDArray[np.int32],
        *,
        profile: str,
        at: int | None = None,
        work: MetricWork | None = None,
    ) -> NDArray[np.int32]:
        """Milliseconds between nodes of the profile's graph (see `as_csr`), int32[n, m]; 2**31 - 1 for no way.

        `at`: epoch seconds, selects the traffic slot (None: no slot).  Raises UnknownNode, UnknownProfile,
        OutsideTraffic.
        """
        metric = self._state.travel(profile, at).metric
        starts, ends = self._points(nodes_from, profile), self._points(nodes_to, profile)
        return metric.table(starts, ends, NO_WAY_MS, work)

    def travel_seconds(
        self,
        origins: NDArray[np.float64],
        destinations: NDArray[np.float64],
        *,
        profile: str,
        at: int | None = None,
        max_snap_m: float = MAX_SNAP_M,
        access: Sequence[NDArray[np.float64] | None] = (None, None),
    ) -> NDArray[np.float64]:
        """Seconds between points on the streets nearest to them, float64[n, m]; inf where there is no way.

        `origins`, `destinations` float64[k, 2] of (lat, lng); `access`: those of either, as `stops` takes them.
        Raises TooFarFromRoad besides what `travel_ms` raises.
        """
        starts, ends = (
            self.stops(each, profile=profile, at=at, max_snap_m=max_snap_m, role=role, access=own)
            for each, role, own in zip((origins, destinations), ("origin", "destination"), access, strict=True)
        )
        ms = self.snapped_ms(starts, ends, profile=profile, at=at)
        return np.where(ms == NO_WAY_MS, np.inf, ms / 1000.0)

    def snapped_ms(
        self, starts: Snaps | Stops, ends: Snaps | Stops, *, profile: str, at: int | None = None
    ) -> NDArray[np.int32]:
        """Milliseconds between spots or stops that were found before; 2**31 - 1 where there is no way."""
        travel = self._state.travel(profile, at)
        both = self._flat(starts, profile, travel), self._flat(ends, profile, travel)
        return stop_table(travel.metric, *both, NO_WAY_MS)

    def snapped_pairs(
        self, starts: Snaps | Stops, ends: Snaps | Stops, *, profile: str, at: int | None = None
    ) -> NDArray[np.int64]:
        """As `snapped_ms`, milliseconds above 31 bits of centimetres (the shortest of fastest ways); -1 for none.

        The walk between stops and places counts in the milliseconds alone.
        """
        travel = self._state.travel(profile, at, metres=True)
        both = self._flat(starts, profile, travel), self._flat(ends, profile, travel)
        return stop_table(travel.metric, *both, -1)

    def last_metres(
        self, starts: Stops, ends: Stops, *, profile: str, at: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Metres on foot at the beginning and at the end of the fastest way of every pair, float64[n, m]; inf for none.

        They are part of the seconds of `snapped_ms`, and none of the metres of `snapped_pairs`.
        """
        travel = self._state.travel(profile, at)
        both = self._flat(starts, profile, travel), self._flat(ends, profile, travel)
        found = []
        for stops, best in zip((starts, ends), best_stops(travel.metric, *both), strict=True):
            found.append(np.where(best < 0, np.inf, stops.walked()[1][best]))
        return found[0], found[1]

    def walks(
        self, starts: Stops, ends: Stops, *, profile: str, at: int | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """(milliseconds, metres) on foot at the end of the fastest way from each start to the end beside it, [n]."""
        travel = self._state.travel(profile, at)
        both = self._flat(starts, profile, travel), self._flat(ends, profile, travel)
        best = best_stops(travel.metric, *both, beside=True)[1].diagonal()
        ms, metres = ends.walked()
        return np.where(best < 0, np.int32(0), ms[best]), np.where(best < 0, 0.0, metres[best])

    def path(
        self,
        origin: Sequence[float],
        destination: Sequence[float],
        *,
        profile: str,
        at: int | None = None,
        max_snap_m: float = MAX_SNAP_M,
        names: Sequence[str] | None = None,
        access: Sequence[Sequence[float] | None] = (None, None),
    ) -> RoadPath:
        """The fastest way between two points (lat, lng): seconds, metres, line, street names; inf where none is.

        `names`: the street of the origin's and of the destination's address, where they are known; `access`: where one
        stops for them, where that is given.
        """
        both = [
            self.stops(
                np.array(point), profile=profile, at=at, max_snap_m=max_snap_m, role=role, names=name,
                access=None if own is None else np.array([own], dtype=np.float64),
            )
            for point, role, name, own in (
                (origin, "origin", names and names[:1], access[0]),
                (destination, "destination", names and names[1:], access[1]),
            )
        ]  # fmt: skip
        travel = self._state.travel(profile, at, metres=True)
        graph = self.graphs[profile]
        return find_best_path(self.streets, graph, self.lookup.grid, travel, *both)

    def stops(
        self,
        points: NDArray[np.float64],
        *,
        profile: str,
        at: int | None = None,
        max_snap_m: float = MAX_SNAP_M,
        role: str = "point",
        names: Sequence[str] | None = None,
        access: NDArray[np.float64] | None = None,
    ) -> Stops:
        """Where the profile can stop for every point at epoch second `at`, and the walk from there.

        `names`: the street of each point's address ("" where it is not known), which is preferred; `access`
        float64[k, 2]: where one stops for it (an entrance, a gate, a loading bay), NaN where that is not given.
        Raises TooFarFromRoad, UnknownProfile.
        """
        off_hours = self._state.off_hours(profile, at)
        found = self.lookup.stops(points, profile, max_snap_m, names, off_hours, access)
        require_near(found.nearest(), profile, max_snap_m, role)
        return found

    def nearest(
        self,
        points: NDArray[np.float64],
        *,
        profile: str,
        at: int | None = None,
        max_snap_m: float = MAX_SNAP_M,
        role: str = "point",
    ) -> Snaps:
        """The nearest spot on a street the profile may use, for every point.  Raises TooFarFromRoad."""
        return self.stops(points, profile=profile, at=at, max_snap_m=max_snap_m, role=role).nearest()

    def snap(self, points: NDArray[np.float64], *, profile: str, max_snap_m: float = MAX_SNAP_M) -> Snaps:
        """As `nearest`, with edge -1 instead of an error where no road is near enough."""
        profile_index(self.streets, profile)
        return self.lookup.stops(points, profile, max_snap_m).nearest()

    def reachable(
        self, point: Sequence[float], seconds: float, *, profile: str, at: int | None = None, resolution: int = 9
    ) -> list[int]:
        """H3 cells with a street that can be reached from the point within `seconds`, ascending."""
        no_start = np.union1d(self._state.off_hours(profile, at), self.lookup.one_sided(profile)).astype(np.int32)
        start = self.lookup.stops(np.array(point), profile, MAX_SNAP_M, off_hours=no_start).nearest()
        require_near(start, profile, MAX_SNAP_M, "point")
        travel = self._state.travel(profile, at)
        limit_ms = int(seconds * 1000)
        graph = self.graphs[profile]
        return reached_cells(self.streets, graph, self.lookup.grid, travel, start, limit_ms, resolution)

    def as_csr(self, profile: str, at: int | None = None) -> tuple[Any, NDArray[np.float64]]:
        """(scipy CSR matrix of integer milliseconds between nodes, latlng float64[n, 2]), to check against.

        Of a map, nodes are stretches: edges in one direction, at their beginning (see docs/roads.md).  Of parallel
        arcs the fastest counts; arcs of no length are stored zeros, which scipy's searches follow.
        """
        from scipy.sparse import csr_matrix

        graph = self.graph(profile)
        travel = self._state.weights(profile, at)
        ms = graph.weights(travel, self._state.holding(at), None, self._state.closed(profile, at))
        source, target = graph.sources()
        order = np.lexsort((ms, target, source))
        order = order[(ms[order] != FAR_MS) & (source[order] != target[order])]
        source, target, ms = source[order], target[order], ms[order]
        fresh = np.ones(len(ms), dtype=np.bool_)
        fresh[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
        shape = (graph.nodes, graph.nodes)
        return csr_matrix((ms[fresh].astype(np.int64), (source[fresh], target[fresh])), shape=shape), graph.latlng

    # ---- traffic

    @property
    def state(self) -> State:
        """The traffic state that holds now."""
        return self._state

    @property
    def version(self) -> int:
        """Version of the traffic state; grows by one with every change."""
        return self._state.version

    @property
    def timezone(self) -> str:
        """The zone whose clocks the map's hours go by, and tables of traffic that name none ("" for UTC)."""
        return str(self.notes.get("timezone", ""))

    @property
    def digest(self) -> str:
        """Short hash of streets and traffic state (same digest: same times)."""
        return self._state.digest

    def set_traffic(self, table: TrafficTable | str | Path | None) -> int:
        """Take a table of speeds by time slot, from a TOML file or ready made (None for no table); the new version."""
        if isinstance(table, str | Path):
            table = read_traffic(Path(table), self.streets, self.timezone)
        return self._swap_in(replace(self._state.conditions, table=table))

    def update_speeds(self, rules: Sequence[Rule], *, keep: bool = False) -> int:
        """Let reported speeds hold from now on, instead of earlier reports (with `keep`: besides); the new version.

        The new state is made ready for every profile in use before it is swapped in; readers go on meanwhile.
        Raises InvalidSpeed for a factor that is not above zero, InvalidTraffic for a class, edge or way not there.
        """
        for number, rule in enumerate(rules):
            check_rule(rule, self.streets, f"rules[{number}]")
        old = self._state.conditions
        return self._swap_in(replace(old, reported=(*old.reported, *rules) if keep else tuple(rules)))

    def set_weather(self, name: str) -> int:
        """Let a weather of the profile tables hold ("" for none); the new version.  Raises InvalidTraffic."""
        factors = self.weather_factors(name)
        return self._swap_in(replace(self._state.conditions, weather=name, weather_factors=factors))

    def _begin_with(self, table: TrafficTable | None, weather: str) -> None:
        self._state = self._make(Conditions(table, (), weather, self.weather_factors(weather)), self._state.version)

    def weather_factors(self, name: str) -> Mapping[str, Any]:
        """What a weather does to speeds, by profile and class ("" for none).  Raises InvalidTraffic."""
        weathers = self.notes.get("weather", {})
        if name and name not in weathers:
            raise InvalidTraffic(
                f"there is no weather {name!r}", weather=name, hint=f"Known: {', '.join(sorted(weathers)) or 'none'}."
            )
        found: Mapping[str, Any] = weathers.get(name, {})
        return found

    def prepare(self, at: int | None, profiles: Sequence[str] | None = None, *, metres: bool = False) -> None:
        """Make the times at `at` ready, so that the first question finds them (safe in a background thread)."""
        for profile in profiles or self.profiles:
            self._state.prepare(profile, at, metres=metres)

    def prepare_next(self, at: int, profiles: Sequence[str]) -> Future[object] | None:
        """Begin, in the background, to make the slot after the one at `at` ready; None where nothing is to be done."""
        table, state = self._state.conditions.table, self._state
        following = None if table is None else table.next_slot_at(at)
        if following is None or all(state.is_ready(profile, following) for profile in profiles):
            return None
        return in_background(self.prepare, following, profiles)

    def fifo_violation_s(self, profile: str, nodes: NDArray[np.int32] | None = None) -> float:
        """The most that waiting for the next slot can gain, in seconds, between any two of `nodes`.

        `nodes` int32[k]: None for some spread over the city.  See `routing.roads.traffic.fifo`.
        """
        table = self._state.conditions.table
        if table is None:
            return 0.0
        some = some_nodes(self.graph(profile).nodes) if nodes is None else nodes
        return largest_decrease_s(table, lambda at: self.travel_ms(some, some, profile=profile, at=at))

    def _swap_in(self, conditions: Conditions) -> int:
        with self._swap:
            fresh = self._make(conditions, self._state.version + 1)
            fresh.get_ready_for(self._state.in_use())
            self._state = fresh
            return fresh.version

    def _make(self, conditions: Conditions, version: int) -> State:
        return State(self.streets, self.graphs, conditions, version, self._digest, self.timezone)

    # ---- helpers

    def _flat(self, stops: Snaps | Stops, profile: str, travel: StreetTimes) -> tuple[Spots, Any, Any]:
        snaps, first, walk = (Stops.at(stops) if isinstance(stops, Snaps) else stops).flat()
        return self._spots(snaps, profile, travel), first, walk

    def _spots(self, snaps: Snaps, profile: str, travel: StreetTimes) -> Spots:
        return Spots(snaps, self.streets, self.graphs[profile], travel)

    def _points(self, nodes: Sequence[int] | NDArray[np.int32], profile: str) -> Points:
        graph = self.graphs[profile]
        wanted = np.asarray(nodes, dtype=np.int64).ravel()
        bad = (wanted < 0) | (wanted >= graph.nodes)
        if bad.any():
            index = int(np.argmax(bad))
            raise UnknownNode(
                f"there is no node {int(wanted[index])} among {graph.nodes}", index=index, node=int(wanted[index])
            )
        return Points.at_nodes(graph.hierarchy.position[wanted], np.int32)
