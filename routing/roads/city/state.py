"""A state: the travel times of every profile under one set of conditions, made ready when they are asked for.

A state never changes; new traffic is a new state, swapped in whole.  Metrics are kept for few slots at a time.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from routing.roads.errors import InvalidSpeed, OutsideTraffic, UnknownProfile
from routing.roads.hierarchy.graphs import Graph, StreetTimes, TurnGraph
from routing.roads.hierarchy.metric import FAR_MS
from routing.roads.source.hours import holds
from routing.roads.streets import SHUT, SLOWEST_MS, Streets, spans_cm
from routing.roads.traffic.traffic import Conditions, Rule, closed_by, digest_of, factors_of

Key = tuple[str, bool, tuple[Rule, ...], frozenset[str]]
"""Profile, whether of pairs, the rules in force and the conditions that hold: what a metric depends on."""

KEPT_SLOTS = 2
"""Sets of weights kept per profile: those of the slot that holds and of the next."""


class State:
    """Travel times under `conditions`; `version` and `digest` name it."""

    def __init__(
        self,
        streets: Streets,
        graphs: Mapping[str, Graph],
        conditions: Conditions,
        version: int,
        streets_digest: str,
        timezone: str = "",
    ) -> None:
        self.conditions = conditions
        self.version = version
        self.digest = digest_of(streets_digest, conditions)
        self._streets = streets
        self._graphs = graphs
        self._timezone = timezone
        turned = (graph.turns.conditions for graph in graphs.values() if isinstance(graph, TurnGraph))
        self._timed = tuple(sorted({*streets.conditions, *(each for those in turned for each in those)}))
        self._ready: OrderedDict[Key, StreetTimes] = OrderedDict()
        self._off_hours: dict[tuple[str, frozenset[str]], NDArray[np.int32]] = {}
        self._fastest: dict[tuple[str, tuple[Rule, ...], frozenset[str]], float | None] = {}
        self._asked: dict[tuple[str, bool], int | None] = {}
        # Two locks, so that nobody who finds what they need waits for somebody else's customisation.
        self._lock = threading.Lock()
        self._building = threading.Lock()

    def weights(self, profile: str, at: int | None) -> NDArray[np.int32]:
        """Milliseconds of every edge along and against for a profile at epoch second `at`, FAR_MS where closed.

        Raises UnknownProfile, OutsideTraffic, and InvalidSpeed where a factor makes an edge endless.
        """
        return self._weigh(profile, self.conditions.rules(at), self.holding(at))

    def fastest_m_per_s(self, profile: str, at: int | None) -> float | None:
        """No part of any edge is driven faster at epoch second `at`; None where one takes no time at all."""
        rules = self.conditions.rules(at)
        key = (profile, rules, self.holding(at))
        if key not in self._fastest:
            ms = self._weigh(*key)
            cm = np.broadcast_to(spans_cm(self._streets), ms.shape)
            moves = (ms != FAR_MS) & (cm > 0)
            endless = (ms[moves] == 0).any()
            self._fastest[key] = None if endless else float((cm[moves] / ms[moves]).max(initial=0.0)) * 10
        return self._fastest[key]

    def closed(self, profile: str, at: int | None) -> NDArray[np.bool_]:
        """What is closed to a profile at epoch second `at`, along and against, bool[2, e]."""
        return self._closed(profile, self.conditions.rules(at), self.holding(at))

    def off_hours(self, profile: str, at: int | None) -> NDArray[np.int32]:
        """Edges that a profile may use at other times, and in no direction at epoch second `at`; ascending."""
        key = (profile, self.holding(at))
        if key not in self._off_hours:
            direction, edge = self._shut_by_hours(*key)
            open_ = self._streets.drive_ms[profile_index(self._streets, profile)] != SHUT
            left = open_[:, edge].copy()
            for each in np.unique(direction):
                left[each] &= ~np.isin(edge, edge[direction == each])
            self._off_hours[key] = np.unique(edge[~left.any(axis=0)]).astype(np.int32)
        return self._off_hours[key]

    def _closed(self, profile: str, rules: tuple[Rule, ...], holding: frozenset[str]) -> NDArray[np.bool_]:
        closed = closed_by(rules, profile, self._streets)
        closed[self._shut_by_hours(profile, holding)] = True
        return closed

    def _shut_by_hours(self, profile: str, holding: frozenset[str]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(direction, edge) of what the hours of streets shut."""
        streets = self._streets
        mine = streets.timed[streets.timed[:, 0] == profile_index(streets, profile)]
        now = np.array([condition in holding for condition in streets.conditions], dtype=np.bool_)
        shut = mine[now[mine[:, 3]] != (mine[:, 4] == 1)]
        return shut[:, 1], shut[:, 2]

    def _against_by_hours(self, profile: str, holding: frozenset[str]) -> NDArray[np.bool_]:
        """Directions that the hours shut while the other is open, bool[2, e]: as in any one-way nobody begins there."""
        shut = np.zeros((2, self._streets.edges), dtype=np.bool_)
        shut[self._shut_by_hours(profile, holding)] = True
        open_ = (self._streets.drive_ms[profile_index(self._streets, profile)] != SHUT) & ~shut
        return np.asarray(shut & open_[::-1])

    def holding(self, at: int | None) -> frozenset[str]:
        """The conditions of streets and restrictions that hold at epoch second `at`; none outside all times."""
        if at is None or not self._timed:
            return frozenset()
        table = self.conditions.table
        timezone = table.timezone if table is not None and table.timezone else self._timezone
        return frozenset(condition for condition in self._timed if holds(condition, at, timezone))

    def travel(self, profile: str, at: int | None, *, metres: bool = False) -> StreetTimes:
        """What a profile's travel times at epoch second `at` come from; with `metres`, a metric of pairs."""
        with self._lock:
            self._asked[profile, metres] = at
        return self.prepare(profile, at, metres=metres)

    def prepare(self, profile: str, at: int | None, *, metres: bool = False) -> StreetTimes:
        """As `travel`, without counting as a question that the next state must be ready for."""
        rules = self.conditions.rules(at)
        holding = self.holding(at)
        key = (profile, metres, rules, holding)
        found = self._look_up(key)
        if found is not None:
            return found
        with self._building:
            found = self._look_up(key)
            if found is None:
                ms = self._weigh(profile, rules, holding)
                lengths = self._streets.length_cm if metres else None
                closed = self._closed(profile, rules, holding)
                metric = self._graphs[profile].metric(ms, lengths, holding, closed)
                found = StreetTimes(ms, metric, holding, closed)
                self._put(key, found)
            return found

    def is_ready(self, profile: str, at: int | None) -> bool:
        """Whether the times of a profile at epoch second `at` need no more preparation."""
        with self._lock:
            return (profile, False, self.conditions.rules(at), self.holding(at)) in self._ready

    def _look_up(self, key: Key) -> StreetTimes | None:
        with self._lock:
            found = self._ready.get(key)
            if found is not None:
                self._ready.move_to_end(key)
            return found

    def _put(self, key: Key, fresh: StreetTimes) -> None:
        with self._lock:
            self._ready[key] = fresh
            same = [each for each in self._ready if each[:2] == key[:2]]
            for old in same[:-KEPT_SLOTS]:
                del self._ready[old]

    def in_use(self) -> list[tuple[str, bool, int | None]]:
        """The (profile, of pairs, at) asked for last of every profile, in order of first use."""
        with self._lock:
            return [(profile, metres, at) for (profile, metres), at in self._asked.items()]

    def get_ready_for(self, uses: Iterable[tuple[str, bool, int | None]]) -> None:
        """Make ready what another state was asked for; a time that no slot of this one holds is left out."""
        for profile, metres, at in uses:
            with contextlib.suppress(OutsideTraffic):
                self.travel(profile, at, metres=metres)

    @property
    def nbytes(self) -> int:
        """Bytes of the metrics held."""
        with self._lock:
            return sum(each.metric.nbytes + each.ms.nbytes for each in self._ready.values())

    def _at_hours(self, index: int, holding: frozenset[str]) -> Streets:
        """The streets with the speeds that signs give a profile while these conditions hold."""
        streets = self._streets
        mine = streets.timed_ms[streets.timed_ms[:, 0] == index]
        now = np.array([condition in holding for condition in streets.conditions], dtype=np.bool_)
        mine = mine[now[mine[:, 3]]] if len(mine) else mine
        if not len(mine):
            return streets
        drive_ms = streets.drive_ms.copy()
        open_ = drive_ms[index, mine[:, 1], mine[:, 2]] != SHUT
        drive_ms[index, mine[open_, 1], mine[open_, 2]] = mine[open_, 4]
        return replace(streets, drive_ms=drive_ms)

    def _weigh(self, profile: str, rules: tuple[Rule, ...], holding: frozenset[str]) -> NDArray[np.int32]:
        index = profile_index(self._streets, profile)
        streets = self._at_hours(index, holding)
        drive, wait = streets.drive_ms[index], streets.wait_ms[index]
        shut = (drive == SHUT) | self._against_by_hours(profile, holding)
        if not rules:
            return np.where(shut, FAR_MS, drive + wait).astype(np.int32)
        ms = np.rint(drive / factors_of(rules, profile, streets))
        slow = (ms > SLOWEST_MS) & ~shut
        if slow.any():
            edge = int(np.argwhere(slow)[0][1])
            raise InvalidSpeed(
                f"traffic slows {profile} so much that edge {edge} takes over {SLOWEST_MS // 3_600_000} hours",
                profile=profile,
                edge=edge,
            )
        return np.where(shut, FAR_MS, ms + wait).astype(np.int32)


def profile_index(streets: Streets, profile: str) -> int:
    """The row of a profile in the streets' arrays.  Raises UnknownProfile."""
    if profile not in streets.profiles:
        raise UnknownProfile(
            f"the network was not built for {profile!r}", profile=profile, hint=f"It has {', '.join(streets.profiles)}."
        )
    return streets.profiles.index(profile)
