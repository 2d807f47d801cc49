"""`python -m tests.mutation [--out FILE]`: 160 seeded mutants, 60 of them in the engine and the access rules.

Each line of FILE is one mutant's fate.  A run that was stopped goes on where it ended; a mutant whose module has
changed since is judged again.  At most one mutant in ten may survive, in engine and access rules one in twenty.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.architecture.sources import ROOT, modules
from tests.mutation import lane
from tests.mutation.mutants import drawn

GROUPS = {"core": (60, 20), "rest": (100, 10)}
"""Mutants drawn from each part of the house, and that one in so many may survive."""
SEED = 20_261_129


def is_core(path: str) -> bool:
    """The engine, and who may do what."""
    return path.startswith(("dispatch/", "api/access/")) or path == "api/http/belonging.py"


def main() -> int:
    """Judge what has not been judged; status 1 where more survive than may."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "mutants.jsonl")
    parser.add_argument(
        "--coverage", type=Path, default=ROOT / "build" / "mutation.coverage", help="taken once, kept here"
    )
    parser.add_argument("--group", choices=list(GROUPS), help="mutants of one part alone")
    parser.add_argument(
        "--near", action="store_true", help="ask the tests of each line alone; what they do not see is left for later"
    )
    parser.add_argument("--most", type=int, help="stop after so many judgements")
    chosen = parser.parse_args()
    equivalent = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text(encoding="utf-8"))
    results, judgements, too_many = lane.read(chosen.out), 0, False
    chosen.coverage.parent.mkdir(parents=True, exist_ok=True)
    data = lane.covered(ROOT, chosen.coverage.resolve(), lane.pytest_in)
    with tempfile.TemporaryDirectory() as scratch:
        copy = lane.copied(ROOT, Path(scratch))
        for group, (count, one_in) in GROUPS.items():
            if chosen.group not in (None, group):
                continue
            paths = [source.path for source in modules() if is_core(source.path) is (group == "core")]
            known = {(result["name"], result["source"]): result for result in results}
            fates = []
            for mutant in drawn(ROOT, paths, count, SEED):
                digest = hashlib.sha256((ROOT / mutant.path).read_bytes()).hexdigest()[:12]
                fate = known.get((mutant.name, digest))
                if fate is None:
                    if chosen.most is not None and judgements >= chosen.most:
                        break
                    judgements += 1
                    said = lane.judged(mutant, ROOT, copy, data, lane.pytest_in, whole=not chosen.near)
                    if said is None:
                        print(f"{judgements:4} unseen    {mutant.name}", file=sys.stderr, flush=True)
                        continue
                    fate = said | {"source": digest, "group": group}
                    with chosen.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(fate) + "\n")
                    print(f"{judgements:4} {fate['outcome']:9} {fate['name']}", file=sys.stderr, flush=True)
                fates.append(fate)
            counts = lane.summary(fates, equivalent)
            print(f"{group}: {counts}")
            too_many |= counts["survived"] * one_in > sum(counts.values())
    return int(too_many)


if __name__ == "__main__":
    sys.exit(main())
