"""`python -m tests.mutation [--out FILE]`: 160 seeded mutants, 60 of them in the engine and the access rules.

Each line of FILE is one mutant's fate, with date and version.  A run that was stopped goes on where it ended; a mutant
whose module has changed since is judged again.  At most one mutant in ten may survive, in engine and access rules one
in twenty.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import sys
import tomllib
from pathlib import Path

from dispatch.version import __version__
from tests.architecture.sources import ROOT, modules
from tests.mutation import lane
from tests.mutation.mutants import Mutant, drawn

GROUPS = {"core": (60, 20), "rest": (100, 10)}
"""Mutants drawn from each part of the house, and that one in so many may survive."""
SEED = 20_261_129


def is_core(path: str) -> bool:
    """The engine, and who may do what."""
    return path.startswith(("dispatch/", "api/access/")) or path == "api/http/belonging.py"


def main() -> int:
    """Judge what has not been judged; status 1 where more survive than may."""
    chosen = _arguments()
    equivalent = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text(encoding="utf-8"))
    known = {(result["name"], result["source"]): result for result in lane.read(chosen.out)}
    chosen.coverage.parent.mkdir(parents=True, exist_ok=True)
    data = None if chosen.near else lane.covered(ROOT, chosen.coverage.resolve(), lane.pytest_in)
    copy = lane.copied(ROOT, ROOT / "build" / "mutation")
    judgements, too_many = 0, False
    for group, (count, one_in) in GROUPS.items():
        if chosen.group not in (None, group):
            continue
        fates = []
        for mutant in drawn(
            ROOT, [source.path for source in modules() if is_core(source.path) is (group == "core")], count, SEED
        ):
            digest = hashlib.sha256((ROOT / mutant.path).read_bytes()).hexdigest()[:12]
            fate = known.get((mutant.name, digest))
            if fate is None:
                if chosen.most is not None and judgements >= chosen.most:
                    break
                judgements += 1
                said = lane.judged(mutant, ROOT, copy, _tests(mutant, data), lane.pytest_in, is_last=not chosen.near)
                print(
                    f"{judgements:4} {said['outcome'] if said else 'unseen':9} {mutant.name}",
                    file=sys.stderr,
                    flush=True,
                )
                if said is None:
                    continue
                today = datetime.datetime.now(datetime.UTC).date().isoformat()
                fate = said | {"source": digest, "group": group, "date": today, "version": __version__}
                with chosen.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(fate) + "\n")
            fates.append(fate)
        counts = lane.summary(fates, equivalent)
        print(f"{group}: {counts} of {count}")
        too_many |= counts["survived"] * one_in > sum(counts.values())
    return int(too_many)


def _tests(mutant: Mutant, data: Path | None) -> list[list[str]]:
    """What is asked in turn: the room, the tests that run the line, all; without data the room alone."""
    room = lane.room_of(mutant.path, ROOT)
    if data is None:
        return [[name] for name in room]
    in_kernel = "/kernels/" in mutant.path
    further = [] if in_kernel else [lane.tests_of(mutant, ROOT, data), ["-n", "2", "tests"]]
    return [[name] for name in room] + [words for words in further if words]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "mutants.jsonl")
    parser.add_argument(
        "--coverage", type=Path, default=ROOT / "build" / "mutation.coverage", help="taken once, kept here"
    )
    parser.add_argument("--group", choices=list(GROUPS), help="mutants of one part alone")
    parser.add_argument(
        "--near",
        action="store_true",
        help="ask the tests of each module's room alone; what they miss is left for later",
    )
    parser.add_argument("--most", type=int, help="stop after so many judgements")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
