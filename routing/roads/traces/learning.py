"""Speeds learnt from traces: factors of the streets' own speeds by road class and time of day.

What a matched way took, less its turns and lights, is shared out among the classes on it in proportion to what each is
expected to take, again and again (expectation maximisation), so that a slow class is not blamed for its neighbours.
"""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.roads.city.network import RoadNetwork
from routing.roads.streets import SHUT
from routing.roads.traces.matching import Driven, Matcher
from routing.roads.traces.stretches import Stretches
from routing.roads.traces.trace import Trace, moving_parts

DAY_S = 86_400
ROUNDS = 30
SLOWEST, FASTEST = 0.1, 3.0
"""Bounds of a factor."""
EVIDENCE_M = 300.0
"""A trace counts once for a class at a time where it has driven so far on it, less where it has not."""
PRIOR = 2.0
"""So many traces count as much as what is known without them."""


class Learnt(NamedTuple):
    """A factor of the speeds of one road class in one slot of the day: `seen` is what the traces alone say.

    `traces`: how many have driven there, as evidence (see EVIDENCE_M); `km`: how far.
    """

    profile: str
    road_class: str
    slot: int
    factor: float
    seen: float
    traces: float
    km: float


@dataclass(slots=True)
class Observed:
    """Steps between positions and the parts of edges driven in each, as growing lists.

    Of a step: `seconds` less turns and lights, `at` its middle, `trace` its trace.  Of a part: `step`, `code` (2 * edge
    + direction), `s` and `m`: seconds at the undisturbed speed and metres, below zero where a position lies behind the
    one before.
    """

    seconds: list[float] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    trace: list[int] = field(default_factory=list)
    step: list[int] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    s: list[float] = field(default_factory=list)
    m: list[float] = field(default_factory=list)


class Watcher:
    """Matches traces of one profile and keeps what they tell."""

    def __init__(self, network: RoadNetwork, profile: str, at: int | None = None) -> None:
        """`at`: the instant whose speeds the traces are held against (None: undisturbed ones)."""
        streets = network.streets
        times = network.state.prepare(profile, at)
        index = streets.profiles.index(profile)
        wait = streets.wait_ms[index]
        self._wait: list[float] = np.ascontiguousarray((wait / 1000.0).T).ravel().tolist()
        drive = np.where(streets.drive_ms[index] == SHUT, 0, times.ms - wait)
        self._drive: list[float] = np.ascontiguousarray((drive / 1000.0).T).ravel().tolist()
        self._length: list[float] = np.repeat(streets.length_cm / 100.0, 2).tolist()
        self._matcher = Matcher(Stretches(streets, network.graph(profile), times), network.lookup.grid)
        self.observed = Observed()
        self.positions = self.matched = self.traces = 0

    def watch(self, trace: Trace, *, whole_trip: bool = True) -> int:
        """Take a trace in, a whole trip or a part of one; the number of steps that were matched."""
        steps = 0
        self.positions += len(trace)
        for part in moving_parts(trace, whole_trip=whole_trip):
            for piece in self._matcher.match(part):
                steps += len(piece)
                for driven in piece:
                    self._take(driven)
        self.matched += steps > 0
        self.traces += 1
        return steps

    def _take(self, driven: Driven) -> None:
        seen = self.observed
        wait_s = sum(share * self._wait[code] for code, share in zip(driven.code, driven.share, strict=True))
        seen.seconds.append(driven.ends_at - driven.begins_at - driven.turns_ms / 1000.0 - wait_s)
        seen.at.append((driven.begins_at + driven.ends_at) / 2)
        seen.trace.append(self.traces)
        for code, share in zip(driven.code, driven.share, strict=True):
            seen.step.append(len(seen.seconds) - 1)
            seen.code.append(code)
            seen.s.append(share * self._drive[code])
            seen.m.append(share * self._length[code])


class Groups(NamedTuple):
    """What groups of parts say: a `factor` float64[g] of the speeds (1 where nothing is known), and its evidence."""

    factor: NDArray[np.float64]
    traces: NDArray[np.float64]
    km: NDArray[np.float64]


def factors_by(observed: Observed, group: NDArray[np.int64], count: int) -> Groups:
    """The factors that explain the seconds of all steps best, for `group` int64[parts] of `count`."""
    step, s = np.array(observed.step, dtype=np.int64), np.array(observed.s)
    seconds, metres = np.array(observed.seconds), np.abs(np.array(observed.m))
    factor = np.ones(count)
    expected_s = np.bincount(group, weights=s, minlength=count)
    for _ in range(ROUNDS):
        weight = np.abs(s) / factor[group] + 1e-6
        share = weight / np.bincount(step, weights=weight, minlength=len(seconds))[step]
        took_s = np.bincount(group, weights=share * seconds[step], minlength=count)
        with np.errstate(divide="ignore", invalid="ignore"):
            fresh = np.where(took_s > 0, expected_s / took_s, FASTEST)
        factor = np.where(expected_s > 0, np.clip(fresh, SLOWEST, FASTEST), 1.0)
    return Groups(factor, _evidence(observed, group, count), np.bincount(group, weights=metres, minlength=count) / 1e3)


def _evidence(observed: Observed, group: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """How many traces have driven on each group, those on little of it counting less."""
    trace = np.array(observed.trace, dtype=np.int64)[np.array(observed.step, dtype=np.int64)]
    pair, which = np.unique(trace * count + group, return_inverse=True)
    metres = np.bincount(which, weights=np.abs(np.array(observed.m)), minlength=len(pair))
    near = np.minimum(1.0, metres / EVIDENCE_M)
    return np.asarray(np.bincount(pair % count, weights=near, minlength=count), dtype=np.float64)


def shrunk(
    factor: NDArray[np.float64], traces: NDArray[np.float64], towards: NDArray[np.float64] | float, prior: float = PRIOR
) -> NDArray[np.float64]:
    """Factors drawn towards others, by a mean of logarithms in which those count as `prior` traces."""
    return np.asarray(np.exp((traces * np.log(factor) + prior * np.log(towards)) / (traces + prior)))


def learn(
    network: RoadNetwork, traces: Sequence[tuple[str, Trace]], *, slot_s: int, timezone: str = "",
    progress: Any = lambda done, total: None,
) -> tuple[list[Learnt], dict[str, Watcher]]:  # fmt: skip
    """What traces, each with its profile of the network, say of speeds by class and slot, and who watched them.

    A class in a slot is drawn towards the class over the day, that towards all classes, those towards the streets' own
    speeds.  Where no trace passed nothing is said.
    """
    watchers: dict[str, Watcher] = {}
    for number, (profile, trace) in enumerate(traces):
        if profile not in watchers:
            watchers[profile] = Watcher(network, profile)
        watchers[profile].watch(trace)
        progress(number + 1, len(traces))
    learnt: list[Learnt] = []
    for profile, watcher in sorted(watchers.items()):
        if watcher.observed.step:
            learnt += _of_profile(network, profile, watcher.observed, slot_s, timezone)
    return learnt, watchers


def _of_profile(network: RoadNetwork, profile: str, observed: Observed, slot_s: int, timezone: str) -> Iterable[Learnt]:
    streets = network.streets
    slots, classes = DAY_S // slot_s, len(streets.classes)
    road = streets.road_class[np.array(observed.code, dtype=np.int64) >> 1].astype(np.int64)
    clock = np.array([_clock_s(at, timezone) for at in observed.at])
    slot = (clock // slot_s).astype(np.int64)[np.array(observed.step, dtype=np.int64)]
    whole = factors_by(observed, np.zeros(len(road), dtype=np.int64), 1)
    by_class = factors_by(observed, road, classes)
    by_slot = factors_by(observed, road * slots + slot, classes * slots)
    all_ = shrunk(whole.factor, whole.traces, 1.0)[0]
    day = shrunk(by_class.factor, by_class.traces, all_)
    factor = shrunk(by_slot.factor, by_slot.traces, np.repeat(day, slots))
    for group in np.flatnonzero(by_slot.traces > 0).tolist():
        yield Learnt(
            profile, streets.classes[group // slots], group % slots, float(factor[group]), float(by_slot.factor[group]),
            float(by_slot.traces[group]), float(by_slot.km[group]),
        )  # fmt: skip


def _clock_s(at: float, timezone: str) -> int:
    """Seconds since midnight that a clock of the zone shows."""
    zone = zoneinfo.ZoneInfo(timezone or "UTC")
    then = datetime.datetime.fromtimestamp(int(at), zone)
    return then.hour * 3600 + then.minute * 60 + then.second
