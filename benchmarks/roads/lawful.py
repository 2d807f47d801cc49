"""Routes judged by an independent walk over the raw tags of map files, and compared with the cheapest lawful ones.

    python -m benchmarks.roads.lawful [--profiles car,bike] [--side 32] [--routes 1000] [--files heidelberg.osm.pbf,...]
        [--at 'We 08:30,Sa 12:00'] [--keep FILE] [--out FOLDER]

Of every file, and at the times given where its tags go by hours: side x side pairs, our time over that of the cheapest
lawful route, and pairs that only one of the two can reach; routes between random places that break a restriction, pass
a closed gate or street, or cut through streets for ends only.  Exit status 1 where a route breaks something, a pair has
a way for one alone, or ours is more than half a per cent slower.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inputs import public_data
from benchmarks.published import publish
from benchmarks.resumable import Kept
from benchmarks.roads.raw import law
from benchmarks.roads.raw.clock import minute_of
from benchmarks.roads.raw.lawful_graph import RawGraph
from benchmarks.roads.raw.tagged_map import Piece, back, read_map
from routing.roads import RoadNetwork
from routing.roads.hierarchy.graphs import TurnGraph
from routing.roads.hierarchy.metric import NO_WAY_MS
from routing.roads.snapping.snapping import Snaps

WORST = 1.005
DECIDING = ("routing", "benchmarks/roads/raw", "benchmarks/roads/lawful.py")
MONDAY = 1_699_833_600
"""Monday, 13 November 2023, 00:00 in UTC."""
Spot = tuple[Piece, Piece, float]


class Judged:
    """A map file as the network reads it, beside what its raw tags say."""

    def __init__(
        self, path: Path, graph: type[RawGraph] = RawGraph, profile: str = "car", clock_time: str = ""
    ) -> None:
        self.profile = profile
        minute = minute_of(clock_time) if clock_time else None
        self.at = None if minute is None else MONDAY + 60 * minute
        table = law.table_of(profile)
        self.graph = graph.of(read_map(path, table, minute), table)
        self._pieces: dict[tuple[int, int, int], list[Piece]] = {}
        for piece in self.graph.raw.seconds:
            self._pieces.setdefault(piece[:3], []).append(piece)
        self._by_way: dict[int, list[Piece]] = {}
        for piece in self.graph.raw.seconds:
            self._by_way.setdefault(piece[0], []).append(piece)
        self.adopt(RoadNetwork.from_osm(path, profiles=(profile,)))

    @property
    def goes_by_hours(self) -> bool:
        """Whether the map says anything to this profile that depends on the hour."""
        turns = self.city.graph(self.profile)
        return bool(self.city.streets.conditions or (isinstance(turns, TurnGraph) and turns.turns.conditions))

    def adopt(self, city: RoadNetwork) -> None:
        """Judge this network."""
        self.city = city
        s = city.streets
        ends = zip(s.way.tolist(), s.node_id[s.tail].tolist(), s.node_id[s.head].tolist(), strict=True)
        self._edge: dict[tuple[int, int, int], list[int]] = {}
        for edge, key in enumerate(ends):
            self._edge.setdefault(key, []).append(edge)

    def spots(self, count: int, rng: random.Random) -> tuple[list[Spot], Snaps, list[Piece]]:
        """Random spots that both know, the same as the network has them, and pieces that only one of the two uses."""
        turns = self.city.graph(self.profile)
        assert isinstance(turns, TurnGraph)
        one_sided, shut = turns.turns.one_sided, self.city.state.closed(self.profile, self.at)
        pieces = list(self.graph.raw.seconds)
        chosen: list[Spot] = []
        edges, fractions, alone = [], [], []
        while len(chosen) < count:
            piece, share = rng.choice(pieces), rng.random()
            found, turned = self._edge.get(piece[:3]), False
            if found is None:
                found, turned = self._edge.get((piece[0], piece[2], piece[1])), True
            behind = (piece[0], piece[2], piece[1], piece[3] ^ 1)
            alive = piece in self.graph.alive or behind in self.graph.alive
            if found is not None and one_sided[found[0]]:
                continue
            if found is not None and (shut[:, found[0]].any() or (self.at is not None and not alive)):
                continue  # what nobody can get to at the hour is still part of the network
            main = found is not None and turns.turns.island[found[0]] == 0
            if alive != main:
                alone.append(piece)
            elif alive and found is not None and len(found) == 1 and piece[1] != piece[2]:
                chosen.append((piece, behind, share))
                edges.append(found[0])
                fractions.append(1 - share if turned else share)
        snaps = Snaps(np.array(edges, dtype=np.int32), np.array(fractions), np.zeros(count))
        return chosen, snaps, alone

    def compare(self, side: int, seed: int) -> dict[str, Any]:
        """Our times over those of the cheapest lawful routes."""
        spots, snaps, alone = self.spots(side, random.Random(seed))
        ms = self.city.snapped_ms(snaps, snaps, profile=self.profile, at=self.at)
        ours = np.where(ms == NO_WAY_MS, np.inf, ms / 1000.0)
        theirs = self.graph.times(spots)
        one = np.isinf(ours) != np.isinf(theirs)
        both = np.isfinite(ours) & np.isfinite(theirs) & (theirs > 1.0)
        ratio = ours[both] / theirs[both]
        return {
            "pairs": side * side,
            "streets_of_one_alone": [piece[0] for piece in alone],
            "reached_by_one_alone": int(one.sum()),
            "worst": round(float(ratio.max(initial=1.0)), 5),
            "best": round(float(ratio.min(initial=1.0)), 5),
            "slower": [
                (spots[i][0][0], spots[j][0][0], float(ours[i, j]), round(float(theirs[i, j]), 3))
                for i, j in np.argwhere(both & (ours > WORST * np.where(np.isfinite(theirs), theirs, 1.0)))[:5]
            ],
        }

    def judge(self, routes: int, seed: int) -> dict[str, Any]:
        """What routes between random places break."""
        rng = random.Random(seed)
        turns = self.city.graph(self.profile)
        assert isinstance(turns, TurnGraph)
        main = np.flatnonzero(turns.turns.island == 0).astype(np.int32)
        edges = np.array([rng.randrange(len(main)) for _ in range(2 * routes)])
        points = self.city.latlng_of(main[edges], np.array([rng.random() for _ in range(2 * routes)]))
        # Off the street, so that stops are looked for as they are for addresses.
        points = points + np.array([[rng.uniform(-2e-4, 2e-4), rng.uniform(-2e-4, 2e-4)] for _ in range(2 * routes)])
        found, broken = 0, []
        for k in range(routes):
            ends = points[2 * k], points[2 * k + 1]
            way = self.city.path(*ends, profile=self.profile, max_snap_m=2000.0, at=self.at)
            if way.found:
                found += 1
                why = self._broken(self._drive(way.edges.tolist(), way.against.tolist()))
                if why:
                    broken.append((points[2 * k].tolist(), points[2 * k + 1].tolist(), why))
        return {"routes": found, "break_something": len(broken), "broken": broken[:5]}

    def _drive(self, edges: list[int], against: list[bool]) -> list[Piece | None]:
        """The pieces of a route, None for an edge that is none of them nor a part of one."""
        s = self.city.streets
        line: list[Piece | None] = []
        for edge, turned in zip(edges, against, strict=True):
            tail, head = int(s.node_id[s.tail[edge]]), int(s.node_id[s.head[edge]])
            first, last = (head, tail) if turned else (tail, head)
            pieces = self._pieces.get((int(s.way[edge]), first, last), [])
            whole = next((p for p in pieces if len(pieces) == 1 or p[3] % 2 == turned), None)
            found = whole or self._part(int(s.way[edge]), first, last)
            if found is None or not line or line[-1] != found:
                line.append(found)
        return line

    def _part(self, way: int, first: int, last: int) -> Piece | None:
        """The piece of a way that passes two of its nodes in this order."""
        for piece in self._by_way.get(way, []):
            nodes = self.graph.raw.line[piece]
            if first in nodes and last in nodes[nodes.index(first) + 1 :]:
                return piece
        return None

    def _broken(self, line: list[Piece | None]) -> list[str]:
        """What a drive breaks by the raw tags."""
        raw, banned = self.graph.raw, self.graph.banned
        pieces = [piece for piece in line if piece is not None]
        if len(pieces) < len(line):
            return ["a street or a direction that nobody may use"]
        told = []
        for a, b in itertools.pairwise(pieces):
            if a[2] != b[1]:
                told.append(f"no crossing between way {a[0]} and way {b[0]}")
            elif not back(a, b) and raw.gates.get(a[2], (law.OPEN, 0.0))[0] == law.SHUT:
                told.append(f"shut at node {a[2]}")
        for ban in banned:
            if any(tuple(pieces[k : k + len(ban)]) == ban for k in range(len(pieces) - len(ban) + 1)):
                told.append(f"restriction from way {ban[0][0]} to way {ban[-1][0]} at node {ban[-1][1]}")
        free = [k for k, piece in enumerate(pieces) if piece not in self.graph.private]
        if free:
            for k in range(free[0], free[-1]):
                here = pieces[k]
                gated = raw.gates.get(here[2], (law.OPEN, 0.0))[0] == law.ENDS and not back(here, pieces[k + 1])
                if raw.ends[here] or gated:
                    told.append(f"cuts through way {here[0]}")
        return told


def judged_row(
    file: Path, profile: str, time: str, shape: tuple[int, int, int], kept: Kept | None = None
) -> dict[str, Any]:
    """What came of one file, as a result has it; `shape`: side, routes, seed; `kept`: where it is found and written."""
    side, routes, seed = shape
    key = (f"{profile} {time} {side} {routes}", file.name, seed)
    known = kept.get(key) if kept is not None else None
    if known is not None:
        return dict(known["found"])
    judged = Judged(file, profile=profile, clock_time=time)
    row = {
        **judged.compare(side, seed),
        **judged.judge(routes, seed + 1),
        "by_hours": judged.goes_by_hours,
    }
    if kept is not None:
        kept.add({"row": key[0], "instance": key[1], "seed": seed, "found": row})
    return row


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge every file and write down what came of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.roads.lawful", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profiles", default="car", help="who travels, parted by commas")
    parser.add_argument("--side", type=int, default=32, help="spots of a comparison, every pair of which counts")
    parser.add_argument("--routes", type=int, default=1000, help="routes that are judged")
    parser.add_argument(
        "--at",
        default="",
        help="times ('We 08:30,Sa 12:00') to judge at, too, where a map goes by hours",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", default="", help="names of map files among the data; default all")
    parser.add_argument("--keep", type=Path, help="a file of what is done, to go on from")
    parser.add_argument("--out", type=Path, help="folder for the result, as JSON and as text")
    chosen = parser.parse_args(arguments)
    block: dict[str, Any] = {}
    lines, good = [], True
    kept = Kept(chosen.keep, DECIDING) if chosen.keep else None
    times = ["", *filter(None, chosen.at.split(","))]
    by_hours: dict[tuple[Path, str], bool] = {}
    for file, profile, time in itertools.product(public_data.maps(chosen.files), chosen.profiles.split(","), times):
        if time and not by_hours[file, profile]:
            continue
        shown = f"{profile}, {time}" if time else profile
        row = judged_row(file, profile, time, (chosen.side, chosen.routes, chosen.seed), kept)
        by_hours[file, profile] = row["by_hours"]
        block.setdefault(file.name, {})[shown] = row
        good &= not (row["reached_by_one_alone"] or row["break_something"] or row["streets_of_one_alone"])
        good &= row["worst"] <= WORST
        lines.append(
            f"{file.name:24} {shown:14} {row['pairs']:>7,} pairs: {row['reached_by_one_alone']} reached by one alone, "
            f"time ratio {row['best']:.4f} to {row['worst']:.4f}; {row['routes']:>5,} routes: "
            f"{row['break_something']} break something"
        )
        print(lines[-1], flush=True)
        for key in ("streets_of_one_alone", "slower", "broken"):
            for each in row[key]:
                print(f"    {key}: {each}", flush=True)
    if chosen.out:
        publish(chosen.out, "roads-lawful", block, lines)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
