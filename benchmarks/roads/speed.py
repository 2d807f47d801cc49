"""The rows of street travel times beside their peers, both sides in turn in one run.

    python -m benchmarks.roads.speed [--only PART] [--repeats N] [--out benchmarks/results]

The OpenStreetMap extracts lie in the folder osm of the data (docs/benchmarks.md).  Peers: pyroutingkit (customisable
contraction hierarchies in C++) and scipy's Dijkstra.  Answers are compared before anything is timed.  Exit status 1
where a row misses its floor.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Case, Measured, Spread, measure
from benchmarks.inputs import public_data as data
from benchmarks.published import publish
from benchmarks.roads.speed_peers import CITY_KM, PROFILES, ZONE_KM, BenchmarkCity, SpeedRow
from routing.roads import RoadNetwork
from routing.roads.city.warm import warm_up_roads
from routing.roads.source.arrays import PROFILES as ALL_PROFILES


def rows_of(city: BenchmarkCity) -> list[Callable[[], SpeedRow]]:
    """Makers of the rows: one is prepared when its turn comes, so that each finds the traffic it was made for."""

    def fresh(make: Callable[[], SpeedRow]) -> Callable[[], SpeedRow]:
        def prepare() -> SpeedRow:
            city.network.update_speeds([])
            city.peer.customise(city.crossings.as_csr("car")[0].data.astype(np.uint32))
            return make()

        return prepare

    table, traffic = city.table_row, city.traffic_row
    return [
        fresh(lambda: table("1000 x 1000 inner city", 1000, 1000, ZONE_KM, 8.0, 15.0)),
        fresh(lambda: table("1000 x 1000 city-wide", 1000, 1000, CITY_KM, 20.0, 30.0)),
        fresh(lambda: table("round of 1500 x 1000 inner city", 1500, 1000, ZONE_KM, 4.0, 8.0)),
        fresh(lambda: table("round of 1500 x 1000 city-wide", 1500, 1000, CITY_KM, 4.0, 8.0)),
        fresh(lambda: traffic("round with new traffic inner city", ZONE_KM, 4.0, 8.0)),
        fresh(lambda: traffic("round with new traffic city-wide", CITY_KM, 8.0, 15.0)),
        fresh(city.scipy_row),
    ]


def ratio_of(row: SpeedRow, repeats: int) -> dict[str, Any]:
    """Measure both sides of a row in turn."""
    cases = [Case("ours", lambda: row.ours, repeats=repeats, memory=False)]
    if row.peer is not None:
        cases.append(Case("peer", lambda: row.peer, repeats=repeats, memory=False))  # type: ignore[arg-type,return-value]
    ours, peer = measure(cases)
    ratio = peer.wall_s.median / ours.wall_s.median
    return {
        "times_as_fast": round(ratio, 2), "by_cpu": round(peer.cpu_s.median / ours.cpu_s.median, 2),
        "floor": row.floor, "aim": row.aim, "reached": _reached(ratio, row.floor, row.aim),
        **_both("ours", ours), **_both("peer", peer), "repeats": ours.repeats, "counters": dict(ours.sample.counters),
    }  # fmt: skip


def _both(side: str, measured: Measured) -> dict[str, list[float]]:
    """Wall and CPU milliseconds of one side: median, lowest, highest."""
    return {f"{side}_wall_ms": _ms(measured.wall_s), f"{side}_cpu_ms": _ms(measured.cpu_s)}


def _ms(spread: Spread) -> list[float]:
    return [round(1000 * value, 2) for value in spread]


def _reached(gained: float, floor: float, aim: float) -> str:
    """Whether a figure of which more is better reaches its aim, its floor or neither."""
    return "aim" if gained >= aim else "floor" if gained >= floor else "missed"


def build_seconds(folder: Path, repeats: int) -> dict[str, dict[str, Any]]:
    """Porto: from the .pbf to a city file of all profiles; by car, to arrays with hierarchy, and from its .npz to the
    first answer."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "porto.npz"
        built, loaded = _Stopwatch(), _Stopwatch()
        for _ in range(repeats):
            with built:
                city = RoadNetwork.from_osm(folder / "porto.osm.pbf", profiles=("car",))
            city.save(file)
            with loaded:
                RoadNetwork.load(file).travel_ms([0], [1], profile="car")
        size_mb = round(file.stat().st_size / 1e6, 1)
    with tempfile.TemporaryDirectory() as scratch:
        file, whole = Path(scratch) / "porto.npz", _Stopwatch()
        with whole:
            RoadNetwork.from_osm(folder / "porto.osm.pbf", profiles=ALL_PROFILES).save(file)
        whole_mb = round(file.stat().st_size / 1e6, 1)
    return {
        "Porto .pbf to city file, five profiles": _limit("s", whole.wall, 20.0, 10.0)
        | {"cpu_s": whole.cpu, "file_mb": whole_mb},
        "Porto city file of five profiles": _limit("mb", whole_mb, 60.0, 30.0),
        "Porto .pbf to hierarchy": _limit("s", built.wall, 12.0, 6.0) | {"cpu_s": built.cpu},
        "Porto .npz to the first answer": _limit("s", loaded.wall, 0.5, 0.2)
        | {"cpu_s": loaded.cpu, "file_mb": size_mb},
    }


class _Stopwatch:
    """Medians of the wall and CPU seconds spent in its block."""

    def __init__(self) -> None:
        self._spent: list[tuple[float, float]] = []

    def __enter__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self._spent.append((time.perf_counter() - self._began[0], time.process_time() - self._began[1]))

    @property
    def wall(self) -> float:
        """Median of the wall seconds."""
        return round(float(np.median([wall for wall, _ in self._spent])), 3)

    @property
    def cpu(self) -> float:
        """Median of the CPU seconds."""
        return round(float(np.median([cpu for _, cpu in self._spent])), 3)


def _limit(unit: str, value: float, floor: float, aim: float) -> dict[str, Any]:
    """A figure of which less is better."""
    return {unit: value, "floor": floor, "aim": aim, "reached": _reached(-value, -floor, -aim)}


def memory_mb(folder: Path) -> dict[str, dict[str, Any]]:
    """Porto, four profiles, one traffic state with every label, in a process of its own."""
    program = "import sys; from benchmarks.roads.speed import _fill; _fill(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", program, str(folder)], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return {"memory, Porto, four profiles, every label": _limit("mb", found.pop("every_label_mb"), 400, 200) | found}


def _fill(folder: str) -> None:
    warm_up_roads()
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "porto.npz"
        maker = (
            "import sys; from routing.roads import RoadNetwork\n"
            "RoadNetwork.from_osm(sys.argv[1], profiles=sys.argv[3:]).save(sys.argv[2])"
        )
        subprocess.run([sys.executable, "-c", maker, f"{folder}/porto.osm.pbf", str(file), *PROFILES], check=True)
        before = _resident_mb()
        city = RoadNetwork.load(file)
        for profile in PROFILES:
            nodes = city.graph(profile).nodes
            some = np.arange(0, nodes, nodes // 1500)
            city.travel_ms(some, some, profile=profile)
        round_mb = _resident_mb() - before
        for profile in PROFILES:
            city.state.travel(profile, None).metric.fill()
        print(
            json.dumps(
                {
                    "after_a_round_mb": round(round_mb, 1),
                    "every_label_mb": round(_resident_mb() - before, 1),
                    "metrics_mb": round(city.state.nbytes / 1e6, 1),
                }
            )
        )


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 1e6


def warm_up_seconds() -> dict[str, dict[str, Any]]:
    """Importing and warming the road kernels in a fresh process, their machine code being cached."""
    program = (
        "import time; wall = time.perf_counter(); from routing.roads.city.warm import warm_up_roads; warm_up_roads()\n"
        "print(time.perf_counter() - wall, time.process_time())"
    )
    runs = []
    for _ in range(6):
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        runs.append([float(word) for word in done.stdout.split()])
    wall, cpu = np.median(runs[1:], axis=0).tolist()
    return {"warm-up with a filled cache": _limit("s", round(wall, 2), 2.0, 2.0) | {"cpu_s": round(cpu, 2)}}


def written(name: str, block: Mapping[str, Any]) -> str:
    """One line for people."""
    if "times_as_fast" in block:
        both = (
            f"{block['times_as_fast']:>8.1f} x  (floor {block['floor']:g}, aim {block['aim']:g}: {block['reached']}); "
            f"wall {block['ours_wall_ms'][0]:.1f} against {block['peer_wall_ms'][0]:.1f} ms, "
            f"CPU {block['ours_cpu_ms'][0]:.1f} against {block['peer_cpu_ms'][0]:.1f} ms"
        )
        return f"{name:42}{both}"
    unit = "mb" if "mb" in block else "s"
    cpu = f", CPU {block['cpu_s']:g} s" if "cpu_s" in block else ""
    limits = f"(floor {block['floor']:g}, aim {block['aim']:g}: {block['reached']})"
    return f"{name:42}{block[unit]:>8g} {unit} {limits}{cpu}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every row, print it and write it down."""
    parser = argparse.ArgumentParser(prog="benchmarks.roads.speed", description="Street travel times beside peers.")
    parser.add_argument("--out", type=Path, help="folder for the result, as JSON and as text")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--repeats", type=int, default=9)
    chosen = parser.parse_args(arguments)
    folder = data.require("osm")
    warm_up_roads()
    report: dict[str, Any] = {}
    lines: list[str] = []

    def tell(name: str, block: dict[str, Any]) -> None:
        report[name] = block | {"load": round(os.getloadavg()[0], 2)}
        lines.append(written(name, block))
        print(lines[-1], flush=True)

    city = BenchmarkCity(folder)
    for prepare in rows_of(city):
        row = prepare()
        if chosen.only in row.name:
            tell(row.name, ratio_of(row, 3 if "scipy" in row.name else chosen.repeats))
    rest: list[tuple[str, Callable[[], dict[str, dict[str, Any]]]]] = [
        ("Porto build and load", lambda: build_seconds(folder, min(5, chosen.repeats))),
        ("memory", lambda: memory_mb(folder)),
        ("warm-up", warm_up_seconds),
    ]
    for part, measured in rest:
        if chosen.only in part:
            for name, block in measured().items():
                tell(name, block)
    if chosen.out:
        publish(chosen.out, "roads-speed", report, lines)
    return 1 if any(block["reached"] == "missed" for block in report.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
