"""Free-flow car times beside those of OSRM's documented car profile, on the same lawful graph.

    python -m benchmarks.roads.osrm_medians [--side 32] [--files heidelberg.osm.pbf,...] [--out benchmarks/results]

Of every tagged file: side x side pairs of random places, our time over the cheapest by the speeds of classes and signs,
the costs of turns and the waits at lights that `car.lua` of OSRM 26.10 states (it lies in the source package of
`osrm-bindings` on PyPI).  The graph is the independent one of `benchmarks.roads.lawful`; nothing is shared with the
import.  What car.lua adds for lanes, widths, stop and give-way signs is left out.  Exit status 1 where the median of a
file lies outside of FLOOR.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inputs import public_data
from benchmarks.published import publish
from benchmarks.roads.lawful import Judged
from benchmarks.roads.raw import law
from benchmarks.roads.raw.lawful_graph import RawGraph
from benchmarks.roads.raw.tagged_map import Piece, RawMap, turn_degrees
from routing.roads.hierarchy.metric import NO_WAY_MS

FLOOR, AIM = (0.85, 1.15), (0.9, 1.1)
SHORTEST_S = 60.0
"""Shorter trips say more of their ends than of the roads."""

KMH = {
    "motorway": 90, "motorway_link": 45, "trunk": 85, "trunk_link": 40, "primary": 65, "primary_link": 30,
    "secondary": 55, "secondary_link": 25, "tertiary": 40, "tertiary_link": 20, "unclassified": 25, "residential": 25,
    "living_street": 10, "service": 15,
}  # fmt: skip
OTHER_KMH, SIGN_SHARE, NO_LIMIT_KMH = 10, 0.8, 140
SURFACE_KMH = {
    "cement": 80, "compacted": 80, "fine_gravel": 80, "paving_stones": 60, "metal": 60, "bricks": 60, "grass": 40,
    "wood": 40, "sett": 40, "grass_paver": 40, "gravel": 40, "unpaved": 40, "ground": 40, "dirt": 40,
    "pebblestone": 40, "tartan": 40, "cobblestone": 30, "clay": 30, "earth": 20, "stone": 20, "rocky": 20, "sand": 20,
    "mud": 10,
}  # fmt: skip
TRACK_KMH = {"grade1": 60, "grade2": 40, "grade3": 30, "grade4": 25, "grade5": 20}
SMOOTHNESS_KMH = {"intermediate": 80, "bad": 40, "very_bad": 20, "horrible": 10, "very_horrible": 5}
TURN_S, BIAS, ONCOMING_S, U_TURN_S, LIGHT_S, GATE_S = 7.5, 1.075, 2.0, 20.0, 2.0, 60.0


def kmh_of(tags: Mapping[str, str], side: str) -> float:
    """The speed of a way in one direction (":forward", ":backward")."""
    without_limit = tags.get(f"maxspeed{side}", tags.get("maxspeed")) == "none"
    limit = NO_LIMIT_KMH if without_limit else law.sign(tags, side)
    caps = (
        SURFACE_KMH.get(tags.get("surface", ""), math.inf),
        TRACK_KMH.get(tags.get("tracktype", ""), math.inf),
        SMOOTHNESS_KMH.get(tags.get("smoothness", ""), math.inf),
    )
    return min(limit * SIGN_SHARE if limit else KMH.get(tags["highway"], OTHER_KMH), *caps)


def turn_seconds(degrees: float, *, is_crossing: bool) -> float:
    """What a turn costs by its angle (positive to the right), where traffic keeps to the right."""
    if degrees >= 0:
        return TURN_S / (1 + math.exp(-(13 / BIAS * degrees / 180 - 6.5 * BIAS)))
    seconds = TURN_S / (1 + math.exp(-(13 * BIAS * -degrees / 180 - 6.5 / BIAS)))
    return seconds + (ONCOMING_S / (1 + math.exp(-(13 * -degrees / 180 - 3.25))) if is_crossing else 0.0)


class OsrmGraph(RawGraph):
    """The lawful drives of a map at the times of OSRM's car profile."""

    @classmethod
    def of(cls, raw: RawMap, table: Mapping[str, Any]) -> RawGraph:
        seconds = {piece: _seconds(raw, piece) for piece in raw.seconds}
        gates = {node: (verdict, GATE_S if price else 0.0) for node, (verdict, price) in raw.gates.items()}
        dear = {**table, "u_turn_s": U_TURN_S + turn_seconds(180.0, is_crossing=False)}
        return super().of(replace(raw, seconds=seconds, gates=gates), dear)

    def _turn(self, here: Piece, piece: Piece) -> float:
        if self.raw.arms[here[2]] <= 2:
            return 0.0
        round_ = any(self.raw.ways[each[0]].tags.get("junction") == "roundabout" for each in (here, piece))
        return turn_seconds(turn_degrees(self.raw, here, piece), is_crossing=not round_)


def _seconds(raw: RawMap, piece: Piece) -> float:
    side, held = ((":forward", "forward"), (":backward", "backward"))[piece[3] % 2]
    lights = sum(raw.lights.get(node) in ("both", held) for node in raw.line[piece][1:])
    return raw.metres[piece] / kmh_of(raw.ways[piece[0]].tags, side) * 3.6 + lights * LIGHT_S


def compared(path: Path, side: int, seed: int) -> dict[str, Any]:
    """The median of our time over that of the profile, and how it spreads."""
    judged = Judged(path, OsrmGraph)
    spots, snaps, _ = judged.spots(side, random.Random(seed))
    ms = judged.city.snapped_ms(snaps, snaps, profile="car")
    ours = np.where(ms == NO_WAY_MS, np.inf, ms / 1000.0)
    theirs = judged.graph.times(spots)
    both = np.isfinite(ours) & np.isfinite(theirs) & (theirs >= SHORTEST_S)
    low, median, high = np.percentile(ours[both] / theirs[both], (10, 50, 90)).tolist()
    reached = [name for name, (least, most) in (("aim", AIM), ("floor", FLOOR)) if least <= median <= most]
    return {
        "pairs": int(both.sum()),
        "median": round(median, 3),
        "tenth": round(low, 3),
        "nine_tenths": round(high, 3),
        "reached": reached[0] if reached else "missed",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare every file and write down what came of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.roads.osrm_medians", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", type=int, default=32, help="places, every pair of which counts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", default="", help="names of map files among the data; default all")
    parser.add_argument("--out", type=Path, help="folder for the result, as JSON and as text")
    chosen = parser.parse_args(arguments)
    block: dict[str, Any] = {}
    lines = []
    for file in public_data.maps(chosen.files):
        row = block[file.name] = compared(file, chosen.side, chosen.seed)
        lines.append(
            f"{file.name:24} {row['pairs']:>6,} pairs: median {row['median']:.3f} of OSRM's car profile "
            f"({row['tenth']:.2f} to {row['nine_tenths']:.2f} for eight in ten; floor {FLOOR[0]:g}-{FLOOR[1]:g}, "
            f"aim {AIM[0]:g}-{AIM[1]:g}: {row['reached']})"
        )
        print(lines[-1], flush=True)
    if chosen.out:
        publish(chosen.out, "roads-osrm-medians", block, lines)
    return 1 if any(row["reached"] == "missed" for row in block.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
