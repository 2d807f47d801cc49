"""A simulated jam: how soon quotes know of it from riders' positions, and what that is worth.

Riders drive from spot to spot for an hour and a half; after half an hour the main streets of the middle are jammed,
for three quarters of an hour, for those under way too, who stay on the ways that they chose.  Their phones report every
ten seconds.  What a service believes with live speeds and
without them is held against what each leg takes.  `python -m benchmarks.roads.live_speeds --out benchmarks/results`

Jams: `even`, every main street at .4 of its speed; `patchy`, each street and direction at a factor of its own, about
.4 of its speed and as far apart as .15 and 1; `inbound`, at .4 towards the middle and undisturbed out of it.

Each row pools the legs of several seeds, none of which the constants of live speeds were chosen on (that was seed 1).
"""

from __future__ import annotations

import argparse
import functools
import itertools
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs import public_data
from benchmarks.published import publish
from benchmarks.roads.drives import Drive
from routing.cells import METRES_PER_DEGREE
from routing.roads import EdgeFactors, RoadNetwork, SpeedRule, TrafficNews
from routing.roads.errors import TooFarFromRoad
from routing.roads.traces.live import LiveWatch

MINUTE_S = 60
BEGINS_MIN, ENDS_MIN, LASTS_MIN = 30, 75, 90
"""The jam, and the whole."""
JAM = 0.4
JAMS = ("even", "patchy", "inbound")
PATCHY_SIGMA, PATCHY_SLOWEST = 0.5, 0.15
"""Deviation of the logarithm of the factors of a patchy jam, and the least of them."""
JAMMED = ("trunk", "primary", "secondary", "tertiary")
JAM_M, CITY_M = 1_200, 2_500
"""Half the side of the jammed square, and how far from the middle trips begin and end (one standard deviation)."""
PROBES = 60
SEEDS = "11,12"
PACE_SIGMA = 0.1
"""Drivers differ: factors of their times, as the deviation of the logarithm."""


@dataclass(slots=True)
class DrivenLeg:
    """A leg that was driven: when it began, what it took, what was believed with live speeds and without.

    `met_s`: what who knows the speeds of the moment would have, but only of streets that riders drove on within the
    hour; `knowing_s`: of all streets.
    """

    begins_s: float
    took_s: float
    live_s: float
    plain_s: float
    met_s: float
    knowing_s: float


class ProbeSeconds(NamedTuple):
    """Mean seconds of the probes after a minute: in truth, with live speeds, without, with those of streets met."""

    truth: float
    live: float
    plain: float
    met: float


class JammedCity:
    """A city, the truth of it, and what is believed."""

    def __init__(
        self, city: RoadNetwork, middle: tuple[float, float], profile: str, riders: int, jam: str, seed: int
    ) -> None:
        self.plain = city
        self.live, self.met, self.truth = self.plain.twin(), self.plain.twin(), self.plain.twin()
        self.profile, self.middle, self.jam, self.seed = profile, middle, jam, seed
        self.random = np.random.default_rng(seed)
        self.watch = LiveWatch({profile: profile})
        self.riders = riders
        self.legs: list[DrivenLeg] = []
        self.knows: list[ProbeSeconds] = []
        self.told = 0

    def run(self) -> JammedCity:
        """Live through it minute by minute."""
        free_at = self.random.uniform(0, 10, self.riders) * MINUTE_S
        seen: list[tuple[float, str, float, float]] = []
        probes = self._probes()
        for minute in range(LASTS_MIN):
            self._set_truth(minute)
            for rider in np.flatnonzero(free_at < (minute + 1) * MINUTE_S).tolist():
                free_at[rider] = self._drive(rider, max(float(free_at[rider]), minute * MINUTE_S), seen)
            now = (minute + 1) * MINUTE_S
            for at, rider_id, lat, lng in sorted(each for each in seen if each[0] <= now):
                self.watch.see(rider_id, self.profile, lat, lng, at)
            seen = [each for each in seen if each[0] > now]
            live = self.watch.speeds(self.plain, now)
            self.told = max(self.told, sum(len(each.code) for each in live))
            self.live._swap_in(TrafficNews(live=live).conditions(self.plain))
            self.met.update_speeds([self._truth_of_streets_met(minute)])
            networks = (self.truth, self.live, self.plain, self.met)
            self.knows.append(ProbeSeconds(*(self._mean_s(each, probes) for each in networks)))
        return self

    def _truth_of_streets_met(self, minute: int) -> EdgeFactors:
        """What who hears the true speed of every street that riders drive on would believe."""
        factors = np.ones((2, self.plain.streets.edges))
        if BEGINS_MIN <= minute < ENDS_MIN:
            met = np.array(sorted(self.watch._said.get(self.profile, {})), dtype=np.int64)
            factors[met & 1, met >> 1] = self._factors[met & 1, met >> 1]
        return EdgeFactors(factors)

    @functools.cached_property
    def _jammed(self) -> RoadNetwork:
        jammed = self.plain.twin()
        jammed.update_speeds([EdgeFactors(self._factors)])
        return jammed

    def _changes(self) -> list[tuple[float, NDArray[np.int32]]]:
        """When the jam begins and ends, with what every edge takes from then on."""
        both = ((BEGINS_MIN, self._jammed), (ENDS_MIN, self.plain))
        return [(minute * MINUTE_S, each.state.weights(self.profile, None)) for minute, each in both]

    def _set_truth(self, minute: int) -> None:
        if minute == BEGINS_MIN:
            self.truth.update_speeds([EdgeFactors(self._factors)])
        if minute == ENDS_MIN:
            self.truth.update_speeds([])

    @functools.cached_property
    def _factors(self) -> NDArray[np.float64]:
        """What the jam makes of every street, along and against."""
        streets = self.plain.streets
        chosen = SpeedRule(1.0, classes=JAMMED, zone=self._zone()).chosen(streets)
        factors = np.ones((2, streets.edges))
        factors[:, chosen] = JAM
        if self.jam == "patchy":
            ways, way = np.unique(streets.way, return_inverse=True)
            drawn = JAM * np.exp(np.random.default_rng([2, self.seed]).normal(0, PATCHY_SIGMA, (2, len(ways))))
            factors[:, chosen] = np.clip(drawn, PATCHY_SLOWEST, 1.0)[:, way[chosen]]
        if self.jam == "inbound":
            away = np.hypot(
                streets.lat - self.middle[0], (streets.lng - self.middle[1]) * np.cos(np.radians(streets.lat))
            )
            outwards = away[streets.head] > away[streets.tail]
            factors[0, chosen & outwards] = 1.0
            factors[1, chosen & ~outwards] = 1.0
        return factors

    def _zone(self) -> tuple[tuple[float, float], ...]:
        high, wide = JAM_M / METRES_PER_DEGREE, JAM_M / METRES_PER_DEGREE / np.cos(np.radians(self.middle[0]))
        lat, lng = self.middle
        corners = ((-1, -1), (-1, 1), (1, 1), (1, -1))
        return tuple((lat + a * high, lng + b * float(wide)) for a, b in corners)

    def _somewhere(self) -> tuple[float, float]:
        north, east = self.random.normal(0, CITY_M / METRES_PER_DEGREE, 2)
        return self.middle[0] + float(north), self.middle[1] + float(east / np.cos(np.radians(self.middle[0])))

    def _drive(self, rider: int, begins_s: float, seen: list[tuple[float, str, float, float]]) -> float:
        """One leg and the stop after it; when the rider is free again."""
        ends = self._somewhere(), self._somewhere()
        pace = float(np.exp(self.random.normal(0, PACE_SIGMA)))
        changes = [((at_s - begins_s) / pace, ms) for at_s, ms in self._changes() if at_s > begins_s]
        try:
            drive = Drive(self.truth, *ends, self.profile, changes=changes)
        except TooFarFromRoad:
            return begins_s
        if not drive.found or drive.seconds < MINUTE_S:
            return begins_s
        took_s = drive.seconds * pace
        believed = (self._trip_s(network, ends) for network in (self.live, self.plain, self.met, self.truth))
        self.legs.append(DrivenLeg(begins_s, took_s + drive.walked_s, *believed))
        trace = drive.seen("", 0.0, every_s=10 / pace, error_m=8.0, random=self.random)
        name = f"{rider} {len(self.legs)}"
        seen += [
            (begins_s + at * pace, name, lat, lng)
            for at, lat, lng in zip(trace.at.tolist(), trace.lat.tolist(), trace.lng.tolist(), strict=True)
        ]
        return begins_s + took_s + float(self.random.uniform(60, 240))

    def _trip_s(self, network: RoadNetwork, ends: tuple[Any, Any]) -> float:
        here, there = np.array(ends[:1]), np.array(ends[1:])
        return float(network.travel_seconds(here, there, profile=self.profile)[0, 0])

    def _probes(self) -> tuple[Any, Any]:
        """Trips that the jam makes longer, of random ones."""
        found: list[tuple[Any, Any]] = []
        while len(found) < PROBES:
            ends = self._somewhere(), self._somewhere()
            try:
                if self._trip_s(self._jammed, ends) > 1.15 * self._trip_s(self.plain, ends):
                    found.append(ends)
            except TooFarFromRoad:
                continue
        starts, goals = zip(*found, strict=True)
        return self.plain.stops(np.array(starts), profile=self.profile), self.plain.stops(
            np.array(goals), profile=self.profile
        )

    def _mean_s(self, network: RoadNetwork, probes: tuple[Any, Any]) -> float:
        ms = network.snapped_ms(*probes, profile=self.profile)
        return float(np.diagonal(ms).mean()) / 1000.0


def figures(lived: Sequence[JammedCity]) -> dict[str, Any]:
    """What came of one jam, lived through with several seeds."""
    shares = [_share_known([each.knows[minute] for each in lived]) for minute in range(LASTS_MIN)]
    legs = [leg for each in lived for leg in each.legs]
    spans = {
        "before": (0, BEGINS_MIN),
        "jam": (BEGINS_MIN, ENDS_MIN),
        "jam_first_15_min": (BEGINS_MIN, BEGINS_MIN + 15),
        "jam_middle": (BEGINS_MIN + 15, ENDS_MIN - 15),
        "jam_last_15_min": (ENDS_MIN - 15, ENDS_MIN),
        "after": (ENDS_MIN, LASTS_MIN),
    }
    during = shares[BEGINS_MIN:ENDS_MIN]
    return {
        "jam": lived[0].jam,
        "riders": lived[0].riders,
        "seeds": [each.seed for each in lived],
        "streets_told_at_most": max(each.told for each in lived),
        "minutes_until_half_is_known": _half(during),
        "of_each_seed": [_half([_share_known([known]) for known in each.knows[BEGINS_MIN:ENDS_MIN]]) for each in lived],
        "known_after_5_min": during[4],
        "known_at_most": max(during),
        "errors": {name: _errors(legs, begin, end) for name, (begin, end) in spans.items()},
        "errors_of_each_seed": [_errors(each.legs, BEGINS_MIN, ENDS_MIN)["ratio"] for each in lived],
    }


def _share_known(known: Sequence[ProbeSeconds]) -> float:
    """How much of what a jam costs quotes hold."""
    truth, live, plain, _ = (sum(part) for part in zip(*known, strict=True))
    return (live - plain) / (truth - plain) if truth != plain else 0.0


def _half(shares: Sequence[float]) -> int | None:
    return next((minute for minute, share in enumerate(shares, start=1) if share >= 0.5), None)


def _errors(legs: Sequence[DrivenLeg], begin: int, end: int) -> dict[str, float]:
    """Mean errors of the legs that began within these minutes, and their ratios to those without live speeds."""
    mine = [leg for leg in legs if begin * MINUTE_S <= leg.begins_s < end * MINUTE_S]
    live, plain, met, knowing = (
        statistics.mean(abs(getattr(leg, which) - leg.took_s) for leg in mine)
        for which in ("live_s", "plain_s", "met_s", "knowing_s")
    )
    return {
        "legs": len(mine), "live_s": live, "without_s": plain, "ratio": live / plain,
        "ratio_if_streets_met_were_known": met / plain, "ratio_if_known_at_once": knowing / plain,
    }  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    errors = row["errors"]
    during = errors["jam"]
    parts = " / ".join(f"{errors[name]['ratio']:.2f}" for name in ("jam_first_15_min", "jam_middle", "jam_last_15_min"))
    halves = ", ".join(str(each) for each in row["of_each_seed"])
    return (
        f"{row['jam']:8}{row['riders']:>4} riders, {len(row['seeds'])} seeds: half of the jam known after "
        f"{row['minutes_until_half_is_known']} min ({halves}), {row['known_after_5_min']:.0%} after 5, "
        f"{row['known_at_most']:.0%} at most; error of {during['legs']} legs in the jam {during['live_s']:.0f} s with "
        f"live speeds, {during['without_s']:.0f} s without ({during['ratio']:.2f}; first quarter of an hour, middle, "
        f"last: {parts}; streets met known exactly {during['ratio_if_streets_met_were_known']:.2f}; all known at once "
        f"{during['ratio_if_known_at_once']:.2f}); before it {errors['before']['ratio']:.2f}, "
        f"after it {errors['after']['ratio']:.2f}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Live the jam with some numbers of riders, and write down what came of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.roads.live_speeds", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--file", default="heidelberg.osm.pbf", help="name of a map file among the data")
    parser.add_argument("--middle", default="49.4090,8.6900", help="lat,lng")
    parser.add_argument("--profile", default="car")
    parser.add_argument("--riders", default="60", help="numbers of riders under way")
    parser.add_argument("--jams", default=",".join(JAMS), help=f"of {', '.join(JAMS)}")
    parser.add_argument("--seeds", default=SEEDS, help="each lived through by itself, and pooled")
    parser.add_argument("--out", type=Path, help="folder for the result, as JSON and as text")
    chosen = parser.parse_args(arguments)
    lat, lng = (float(part) for part in chosen.middle.split(","))
    file = public_data.require("osm") / chosen.file
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    city = RoadNetwork.from_osm(file, profiles=(chosen.profile,))
    for jam, number in itertools.product(chosen.jams.split(","), chosen.riders.split(",")):
        lived = [
            JammedCity(city, (lat, lng), chosen.profile, int(number), jam, int(seed)).run()
            for seed in chosen.seeds.split(",")
        ]
        rows.append(figures(lived))
        lines.append(_line(rows[-1]))
        print(lines[-1], flush=True)
    if chosen.out:
        publish(chosen.out, "roads-live", {"rows": rows}, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
