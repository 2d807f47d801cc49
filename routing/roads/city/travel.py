"""Street travel times for the places of a book: what the engine and the simulator ask.

travel = road_travel(RoadNetwork.load("city.npz"), places, profiles=("bike", "car"))
travel.table(riders_and_stops, stops, at=now)
"""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from routing.errors import InvalidInput
from routing.moved_places import MovedPlaces
from routing.places import FARTHEST_ACCESS_M, PlaceBook
from routing.roads.city.network import MAX_SNAP_M, RoadNetwork
from routing.roads.city.news import TrafficNews
from routing.roads.city.state import profile_index
from routing.roads.errors import TooFarFromRoad
from routing.roads.hierarchy.graphs import TurnGraph
from routing.roads.hierarchy.metric import NO_WAY_MS, PAIR_SHIFT
from routing.roads.kernels.ticks import round_to_seconds
from routing.roads.snapping.stops import WALK_M_PER_S, Stops
from routing.roads.traffic.traffic import digest_of
from routing.travel import UNREACHABLE, Reach, Rounding, to_ticks

logger = logging.getLogger(__name__)

ROUNDED_M = 1.0
"""What a way's ends may gain by the rounding of their milliseconds."""


NOWHERE = 999.0
"""A latitude that no access point has."""
KEPT_HOURS = 3
"""Sets of stops kept per profile, by the streets that are shut at the hour."""


class _PlaceStops:
    """Where to stop for every place that was ever asked for, renewed when the place moves.

    `off_hours`: edges that are shut at the time.
    """

    def __init__(self, off_hours: NDArray[np.int32]) -> None:
        self._off_hours = off_hours
        self._moved = MovedPlaces(4)
        self._kept: Stops | None = None
        self.renewed = 0

    def of(
        self, handles: NDArray[np.int32], places: PlaceBook, network: RoadNetwork, profile: str, max_snap_m: float
    ) -> Stops:
        """Stops of the places, edge -1 where no road is near enough."""
        access = places.access
        now = np.column_stack([places.first, places.second, np.nan_to_num(access, nan=NOWHERE)])
        stale = self._moved.since_seen(handles, now)
        if len(stale) or self._kept is None:
            found = network.lookup.stops(
                now[stale, :2], profile, max_snap_m, off_hours=self._off_hours, access=access[stale]
            )
            self._put(stale, found)
            self._moved.see(stale, now)
            self.renewed += len(stale)
            far = stale[found.edge[:, 0] < 0]
            if len(far) == 1:
                logger.warning("place %d is more than %g m from any road for %s", far[0], max_snap_m, profile)
            elif len(far):
                logger.warning(
                    "%d places are more than %g m from any road for %s, place %d the first of them",
                    len(far), max_snap_m, profile, far[0],
                )  # fmt: skip
        kept = self._kept
        assert kept is not None
        return Stops(kept.edge[handles], kept.fraction[handles], kept.metres[handles], kept.walk_ms[handles])

    def _put(self, stale: NDArray[np.int32], found: Stops) -> None:
        size, before = self._moved.room, self._kept
        width = found.edge.shape[1]
        fresh = Stops(
            np.full((size, width), -1, dtype=np.int32), np.zeros((size, width)), np.full((size, width), np.inf),
            np.zeros((size, width), dtype=np.int32),
        )  # fmt: skip
        for name in ("edge", "fraction", "metres", "walk_ms"):
            if before is not None:
                getattr(fresh, name)[: len(before.edge)] = getattr(before, name)
            getattr(fresh, name)[stale] = getattr(found, name)
        self._kept = fresh


class RoadTravel:
    """Travel times on streets between the places of a book (a `routing.travel.TravelTimes`).

    Snaps stay with the places and labels with the traffic state, so a rider who moved costs one snap and one join.
    Places farther than `max_snap_m` from any road of a profile are unreachable for it, and warned of once.
    `network_profile`: which profile of the network each profile of the table drives.
    """

    def __init__(
        self, network: RoadNetwork, places: PlaceBook, network_profile: Mapping[str, str], *, max_snap_m: float
    ) -> None:
        if places.frame != "wgs84":
            raise InvalidInput(
                "roads need places in degrees, these lie on a plane", code="wrong_frame", frame=places.frame
            )
        if not network_profile:
            raise InvalidInput("a travel table needs at least one profile", code="no_profile")
        for profile in network_profile.values():
            profile_index(network.streets, profile)
        self.network = network
        self._places = places
        self._drives = dict(network_profile)
        self._max_snap_m = max_snap_m
        self._snaps: dict[str, dict[bytes, _PlaceStops]] = {profile: {} for profile in self._drives.values()}
        self._lock = threading.Lock()

    @property
    def version(self) -> int:
        return self.network.version

    @property
    def digest(self) -> str:
        return digest_of(self.network.digest, self._drives, self._max_snap_m)

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(self._drives)

    @property
    def drives(self) -> Mapping[str, str]:
        """Which profile of the network each profile of the table drives."""
        return self._drives

    def reach(self, at: int) -> Reach | None:
        profiles = tuple(dict.fromkeys(self._drives.values()))
        fastest = [self.network.state.fastest_m_per_s(profile, at) for profile in profiles]
        if None in fastest:
            return None
        # Where streets tell of turns the walk to the door takes its time, elsewhere it takes none.
        walks = all(isinstance(self.network.graph(profile), TurnGraph) for profile in profiles)
        m_per_s = max(WALK_M_PER_S, *(found for found in fastest if found is not None))
        # The middle latitude stands for the great circle, and milliseconds are rounded: within a hundredth.
        beside_m = self._max_snap_m + (0.0 if np.isnan(self._places.access).all() else FARTHEST_ACCESS_M)
        return Reach(1.01 * m_per_s, ROUNDED_M + (0.0 if walks else 2 * beside_m))

    def under(self, news: TrafficNews) -> RoadTravel:
        """The same places and snaps under news of traffic; this one's times stay as they are.

        Raises what `TrafficNews.conditions` raises.
        """
        other = copy.copy(self)
        other.network = self.network.twin(news.conditions(self.network))
        return other

    def require_cover(self) -> None:
        """Snap every place of the book at once; raise TooFarFromRoad where none lies beside a street.

        Those that do not, where others do, are warned of and unreachable.
        """
        points = np.stack([self._places.first, self._places.second], axis=1)
        count, profiles = len(points), tuple(self._snaps)
        found = [self.network.snap(points, profile=name, max_snap_m=self._max_snap_m) for name in profiles]
        if count and not any((each.edge >= 0).any() for each in found):
            streets = self.network.streets
            raise TooFarFromRoad(
                f"none of the {count} places lies within {self._max_snap_m:g} m of a street: they lie "
                f"{_between(points[:, 0], points[:, 1])}, the streets {_between(streets.lat, streets.lng)}",
                hint="Take the city file of the place where this happens.",
            )
        every = np.arange(count, dtype=np.int32)
        for name in profiles:
            self._snapped(every, every[:0], name, None)

    def check(self) -> None:
        """Raise InvalidSpeed where, at any time of the traffic table, an edge would take for ever."""
        for profile in self._snaps:
            for at in self.network.state.conditions.instants():
                self.network.state.weights(profile, at)

    def get_ready_for(self, at: int, like: RoadTravel) -> None:
        """Make ready, for epoch second `at`, what `like` was asked for (safe in a background thread)."""
        self.network.state.get_ready_for((profile, metres, at) for profile, metres, _ in like.network.state.in_use())

    @property
    def snaps_renewed(self) -> int:
        """How often a place had to be snapped, over all profiles."""
        return sum(each.renewed for kept in self._snaps.values() for each in kept.values())

    def table(
        self,
        origins: NDArray[np.int32],
        destinations: NDArray[np.int32],
        at: int,
        *,
        tick_us: int = 1_000_000,
        rounding: Rounding = "nearest",
        round_to_s: int = 1,
    ) -> NDArray[np.int32]:
        blocks = []
        for profile in self._drives.values():
            starts, ends = self._snapped(origins, destinations, profile, at)
            ms = self.network.snapped_ms(starts, ends, profile=profile, at=at)
            if tick_us == 1_000_000 and rounding == "nearest" and round_to_s == 1:
                blocks.append(round_to_seconds(ms, NO_WAY_MS, UNREACHABLE))
            else:
                seconds = np.where(ms == NO_WAY_MS, np.inf, ms / 1000.0)
                blocks.append(to_ticks(seconds, tick_us, rounding, round_to_s))
        self.network.prepare_next(at, tuple(dict.fromkeys(self._drives.values())))
        return np.stack(blocks)

    def metres(self, origins: NDArray[np.int32], destinations: NDArray[np.int32], at: int) -> NDArray[np.int32]:
        """Metres along the fastest way (the shortest of equally fast ones); 0 where there is none."""
        blocks = []
        for profile in self._drives.values():
            starts, ends = self._snapped(origins, destinations, profile, at)
            pairs = self.network.snapped_pairs(starts, ends, profile=profile, at=at)
            metres = np.rint((pairs & (2**PAIR_SHIFT - 1)) / 100.0)
            blocks.append(np.where(pairs < 0, 0, metres).astype(np.int32))
        return np.stack(blocks)

    def walks(
        self, origins: NDArray[np.int32], destinations: NDArray[np.int32], at: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Seconds and metres on foot from the spot where the fastest way ends to the door."""
        seconds, metres = [], []
        for profile in self._drives.values():
            starts, ends = self._snapped(origins, destinations, profile, at)
            ms, far_m = self.network.walks(starts, ends, profile=profile, at=at)
            seconds.append(np.rint(ms / 1000.0).astype(np.int32))
            metres.append(np.rint(far_m).astype(np.int32))
        return np.stack(seconds), np.stack(metres)

    def _snapped(
        self, origins: NDArray[np.int32], destinations: NDArray[np.int32], profile: str, at: int | None
    ) -> tuple[Stops, Stops]:
        off_hours = self.network.state.off_hours(profile, at)
        with self._lock:
            hours = self._snaps[profile]
            kept = hours.setdefault(off_hours.tobytes(), _PlaceStops(off_hours))
            while len(hours) > KEPT_HOURS:
                del hours[next(key for key, each in hours.items() if each is not kept)]
            both = [
                kept.of(np.asarray(each, dtype=np.int32), self._places, self.network, profile, self._max_snap_m)
                for each in (origins, destinations)
            ]
        return both[0], both[1]


def _between(lat: NDArray[np.float64], lng: NDArray[np.float64]) -> str:
    return f"between {lat.min():.4f},{lng.min():.4f} and {lat.max():.4f},{lng.max():.4f}"


def road_travel(
    network: RoadNetwork,
    places: PlaceBook,
    profiles: Sequence[str] | Mapping[str, str] = ("bike",),
    *,
    max_snap_m: float = MAX_SNAP_M,
) -> RoadTravel:
    """Street travel times for a book of places.

    `profiles`: profiles of the network, or {profile of the table: profile of the network} where a scenario has names
    of its own.  Raises UnknownProfile, InvalidInput for places on a plane.
    """
    named = dict(profiles) if isinstance(profiles, Mapping) else {profile: profile for profile in profiles}
    return RoadTravel(network, places, named, max_snap_m=max_snap_m)
