"""What takes longer than the gate, lane by lane: `python -m benchmarks.prove [LANE ...] [--list] [--again]`.

A lane is one command.  Each leaves a line in benchmarks/results/prove.jsonl: date, version, commit, status, seconds and
what it printed last.  A lane that has passed on this commit is not run again without `--again`, so that a run that was
stopped goes on where it ended.  Other dependencies and other Pythons need uv; without it their lanes are skipped.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness import versions
from benchmarks.resumable import ROOT

RESULTS = ROOT / "benchmarks" / "results" / "prove.jsonl"
PYTHON = sys.executable
EXTRAS = ".[dev,maps,analysis,peers]"
RESULT_FOLDER = "benchmarks/results"


class ProveLane(NamedTuple):
    """One command, and the environment it runs in: this one, or one made by uv with another Python or resolution."""

    name: str
    command: Sequence[str]
    python: str = ""
    resolution: str = ""


SUITE = ("-m", "pytest", "-n", "2", "tests")
LANES = (
    ProveLane("slow", (PYTHON, "-m", "pytest", "-m", "slow", "tests")),
    ProveLane("mutation", (PYTHON, "-m", "tests.mutation")),
    ProveLane("oldest", SUITE, python="3.11", resolution="lowest-direct"),
    ProveLane("newest", SUITE, python="3.11", resolution="highest"),
    ProveLane("python-3.12", SUITE, python="3.12"),
    ProveLane("python-3.13", SUITE, python="3.13"),
    ProveLane("interpreted", ("make", "test-interpreted")),
    ProveLane("benchmarks", (PYTHON, "-m", "benchmarks", "--suite", "full", "--record", RESULT_FOLDER)),
    ProveLane(
        "grubhub",
        (PYTHON, "-m", "benchmarks.days.grubhub", "--all-rows", "--seeds", "1,2,3", "--out", "docs/results/grubhub"),
    ),
    ProveLane("city-days", (PYTHON, "-m", "benchmarks.days.city_days", "--out", "docs/results/city-days")),
    ProveLane("preset-days", (PYTHON, "-m", "benchmarks.days.preset_days")),
    ProveLane("first-quote", (PYTHON, "-m", "benchmarks.live.first_quote", "--out", RESULT_FOLDER)),
    ProveLane(
        "bigday-published",
        (PYTHON, "-m", "benchmarks.days.bigday", "--instance", "5o100t100s2p100", "--out", RESULT_FOLDER),
    ),
    ProveLane("same-twice", (PYTHON, "-m", "benchmarks.days.same_twice", "--out", RESULT_FOLDER)),
    ProveLane("bigday", (PYTHON, "-m", "benchmarks.days.bigday", "--out", RESULT_FOLDER)),
    ProveLane("roads-exact", (PYTHON, "-m", "benchmarks.roads.exact", "--out", RESULT_FOLDER)),
    ProveLane("roads-osrm-medians", (PYTHON, "-m", "benchmarks.roads.osrm_medians", "--out", RESULT_FOLDER)),
    ProveLane("roads-addresses", (PYTHON, "-m", "benchmarks.roads.addresses", "--out", RESULT_FOLDER)),
    ProveLane(
        "roads-lawful",
        (PYTHON, "-m", "benchmarks.roads.lawful", "--profiles", "car,scooter,bike,foot", "--out", RESULT_FOLDER),
    ),
    ProveLane("roads-live", (PYTHON, "-m", "benchmarks.roads.live_speeds", "--out", RESULT_FOLDER)),
    ProveLane("roads-speed", (PYTHON, "-m", "benchmarks.roads.speed", "--out", RESULT_FOLDER)),
    ProveLane("load", (PYTHON, "-m", "benchmarks.live.load", "--out", RESULT_FOLDER)),
    ProveLane("restart", (PYTHON, "-m", "benchmarks.live.restart", "--out", RESULT_FOLDER)),
    ProveLane("scale", (PYTHON, "-m", "benchmarks.live.scale", "--out", RESULT_FOLDER)),
    ProveLane("soak", (PYTHON, "-m", "benchmarks.live.soak", "--out", RESULT_FOLDER)),
    ProveLane("heap-http", (PYTHON, "-m", "benchmarks.live.replay_vs_http", "--out", RESULT_FOLDER)),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the lanes that are asked for and have not passed yet; status 1 where one fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prove", description=__doc__)
    parser.add_argument("lanes", nargs="*", metavar="LANE", help="all of them, if none is named")
    parser.add_argument("--list", action="store_true", help="name the lanes and when each last passed")
    parser.add_argument("--again", action="store_true", help="run lanes that have passed on this commit as well")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.lanes) - {lane.name for lane in LANES})
    if unknown:
        parser.error(f"there is no lane {unknown[0]}; there are {', '.join(lane.name for lane in LANES)}")
    known = read(RESULTS)
    if chosen.list:
        for lane in LANES:
            passed = [result for result in known if result["lane"] == lane.name and result["status"] == "passed"]
            print(f"{lane.name:18} {passed[-1]['date'] + ' ' + passed[-1]['commit'] if passed else 'never'}")
        return 0
    failed = False
    for lane in LANES:
        if chosen.lanes and lane.name not in chosen.lanes:
            continue
        if not chosen.again and has_passed(known, lane.name, commit()):
            print(f"{lane.name}: passed on this commit")
            continue
        result = proved(lane)
        append(RESULTS, result)
        print(f"{lane.name}: {result['status']} in {result['seconds']:.0f} s: {result['said']}", flush=True)
        failed |= result["status"] == "failed"
    return int(failed)


def proved(lane: ProveLane) -> dict[str, Any]:
    """Run one lane; what became of it."""
    began = time.monotonic()
    status, said = "skipped", "needs uv"
    if not lane.python or shutil.which("uv"):
        command = list(lane.command) if not lane.python else [str(python_of(lane)), *lane.command]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        status = "passed" if done.returncode == 0 else "failed"
        said = next((line.strip() for line in reversed((done.stdout + done.stderr).splitlines()) if line.strip()), "")
    made = versions()
    return {
        "lane": lane.name,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "version": made["halfhour"],
        "commit": commit(),
        "status": status,
        "seconds": round(time.monotonic() - began, 1),
        "said": said[:200],
    }


def python_of(lane: ProveLane) -> Path:
    """The interpreter of an environment for this lane, made anew under build/."""
    home = ROOT / "build" / f"prove-{lane.name}"
    quiet = {"check": True, "cwd": ROOT, "stdout": subprocess.DEVNULL}
    subprocess.run(["uv", "venv", "--quiet", "--clear", "--python", lane.python, str(home)], **quiet)
    python = home / "bin" / "python"
    resolution = ["--resolution", lane.resolution] if lane.resolution else []
    install = ["uv", "pip", "install", "--quiet", "--python", str(python), *resolution, "--editable", EXTRAS]
    subprocess.run(install, **quiet)
    return python


def commit() -> str:
    """The commit of the checkout, marked where files have been changed since."""
    words = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def has_passed(results: Sequence[dict[str, Any]], lane: str, at: str) -> bool:
    """True where a lane has passed on a commit without changes."""
    return not at.endswith("-dirty") and any(
        result["lane"] == lane and result["commit"] == at and result["status"] == "passed" for result in results
    )


def read(path: Path) -> list[dict[str, Any]]:
    """Results so far."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def append(path: Path, result: dict[str, Any]) -> None:
    """Keep one more result."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
