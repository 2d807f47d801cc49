"""Measure the rows that are missing, append a line for each run, and write the page.

    python -m benchmarks.paper [--suite full|paper] [--rows A,B] [--seeds 1,2,3,4,5] [--solvers halfhour,vroom]
                               [--sample N] [--clock wall|cpu] [--out FILE] [--page FILE] [--snapshots DIR] [--dry]

`paper` (hours) runs all solvers and seeds, `full` (half an hour) our own with one seed.  Runs that stand in the result
file are not run again; one taken by CPU seconds is, where the wall clock is asked for.

    python -m benchmarks.paper export DIR     # instances and tasks.csv, for solvers that we cannot run
    python -m benchmarks.paper judge FILE     # their answers by the same evaluator (benchmarks/paper/exchange.py)
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import versions
from benchmarks.inputs.snapshots import make_snapshot
from benchmarks.paper.exchange import export, judge
from benchmarks.paper.page import page
from benchmarks.paper.rows import ROWS, PaperTask, Row, run, tasks_of
from benchmarks.paper.table import key_of
from benchmarks.peers import PEERS, PeerFailed
from benchmarks.peers.as_vroom import to_vroom
from routing.errors import HalfhourError, InvalidInput, Unsupported

RESULTS = Path("benchmarks/results/solver.jsonl")
SEEDS = "1,2,3,4,5"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, or hand over instances, or judge answers; the exit status."""
    chosen = _options(arguments)
    try:
        if chosen.verb:
            return _exchange(chosen)
        seeds = [int(seed) for seed in (chosen.seeds or ("1" if chosen.suite == "full" else SEEDS)).split(",")]
        solvers = tuple((chosen.solvers or ("halfhour" if chosen.suite == "full" else ",".join(PEERS))).split(","))
        rows = [_row(name) for name in (chosen.rows.split(",") if chosen.rows else ROWS)]
        chosen.out = chosen.out or RESULTS
        if chosen.snapshots is not None:
            write_snapshots(chosen.snapshots, seeds)
        lines = read_lines(chosen.out)
        have = {key_of(line) for line in lines if chosen.clock == "cpu" or line["clock"] == "wall"}
        wanted = [task for row in rows for task in tasks_of(row, seeds, solvers, chosen.sample)]
        left = [task for task in wanted if tuple(task) not in have]
        print(f"{len(wanted)} runs wanted, {len(left)} to do, at least {_least_s(left) / 60:.0f} minutes", flush=True)
        if not chosen.dry:
            failed = _measure(left, chosen)
            _write_page(chosen.page, read_lines(chosen.out))
            return 1 if failed else 0
    except HalfhourError as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.paper", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", nargs="?", default="", choices=("", "export", "judge"), help="instead of measuring")
    parser.add_argument("path", nargs="?", type=Path, help="folder to export to, or file of answers to judge")
    parser.add_argument("--suite", choices=("full", "paper"), default="paper")
    parser.add_argument("--rows", default="", metavar="A,B", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--seeds", default="")
    parser.add_argument("--solvers", default="", metavar="A,B", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--sample", type=int, help="so many instances of each row, evenly spread")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="what a budget counts")
    parser.add_argument("--out", type=Path, help=f"result file, {RESULTS} unless answers are judged")
    parser.add_argument("--page", type=Path, help="write the page here")
    parser.add_argument("--snapshots", type=Path, metavar="DIR", help="write the snapshots as VROOM JSON")
    parser.add_argument("--until", default="", metavar="HH:MM", help="begin no run after this time (UTC)")
    parser.add_argument("--dry", action="store_true", help="only say what is missing")
    return parser.parse_args(arguments)


def _exchange(chosen: argparse.Namespace) -> int:
    """Hand over instances, or judge answers: they are printed, and kept where `--out` says so."""
    if chosen.path is None:
        raise InvalidInput(f"{chosen.verb} needs a path", field="path")
    if chosen.verb == "export":
        rows = [_row(name) for name in (chosen.rows.split(",") if chosen.rows else ROWS)]
        print(f"{export(chosen.path, rows)} tasks in {chosen.path / 'tasks.csv'}")
        return 0
    lines = judge(chosen.path)
    if chosen.out is not None:
        with chosen.out.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
    for line in lines:
        print(f"{line['row']} {line['instance']} {line['solver']}: {_said(line)}")
    return 0


def _row(name: str) -> Row:
    if name not in ROWS:
        raise InvalidInput(f"there is no row {name!r}", field="rows", hint=f"One of {', '.join(ROWS)}.")
    return ROWS[name]


def _measure(tasks: Sequence[PaperTask], chosen: argparse.Namespace) -> int:
    """Append a line for each run; how many failed."""
    made = versions()
    stamp = {"version": made["halfhour"], "commit": made["commit"]}
    failed = 0
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    with chosen.out.open("a", encoding="utf-8") as file:
        for task in tasks:
            now = datetime.datetime.now(datetime.UTC)
            if chosen.until and now.strftime("%H:%M") >= chosen.until:
                print(f"{chosen.until} is past: the rest stays for another time")
                break
            begun = time.perf_counter()
            try:
                line = {**run(task, chosen.clock), "date": now.date().isoformat(), **stamp}
            except (PeerFailed, Unsupported) as problem:
                failed += 1
                print(f"{' '.join(map(str, task))}: {problem}", file=sys.stderr, flush=True)
                continue
            file.write(json.dumps(line) + "\n")
            file.flush()
            print(f"{' '.join(map(str, task))}: {_said(line)} ({time.perf_counter() - begun:.1f} s)", flush=True)
    return failed


def _said(line: dict[str, Any]) -> str:
    judged = "" if line["law"] == "NONE" and not line["unserved"] else f", {line['law']}, {line['unserved']} unserved"
    if "value" in line:
        return f"cost {line['value']} of {line['best_known']}{judged}; {line['wall_s']} s, {line['cpu_s']} s of CPU"
    against = f" of {line['best_known_vehicles']}, distance {line['distance']}" if "distance" in line else ""
    late = "" if "distance" in line else f", cost {line['cost']:,}, {line['late']} late"
    return f"{line['vehicles']} vehicles{against}{late}{judged}; {line['wall_s']} s, {line['cpu_s']} s of CPU"


def _least_s(tasks: Sequence[PaperTask]) -> float:
    """Seconds of search that the tasks will take; VROOM without a limit counts as a minute."""
    return sum(60 if ROWS[t.row].is_snapshot and t.solver == "vroom" else ROWS[t.row].seconds + 1 for t in tasks)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The result lines at hand."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def write_snapshots(folder: Path, seeds: list[int]) -> None:
    """The snapshots as VROOM JSON, for any solver."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in ROWS.values():
        if row.is_snapshot and not row.late_charge:
            riders, orders = (int(size) for size in row.sources)
            for seed in seeds:
                text = json.dumps(to_vroom(*make_snapshot(riders, orders, seed)))
                (folder / f"snapshot-{riders}-{orders}-{seed}.json").write_text(text, encoding="utf-8")


def _write_page(target: Path | None, lines: list[dict[str, Any]]) -> None:
    text = page(lines, [int(seed) for seed in SEEDS.split(",")])
    if target is not None:
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
