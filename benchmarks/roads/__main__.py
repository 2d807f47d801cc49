"""The results of the streets as one page: `python -m benchmarks.roads [--run] [--only PART]`.

Without --run the page is written anew from the newest results; with it every row is measured first, which takes hours.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from benchmarks.resumable import ROOT
from benchmarks.roads.page import page

RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "results" / "roads.md"
PARTS = {
    "exact": ("--keep", str(ROOT / "runs" / "exact.jsonl")),
    "lawful": (
        "--profiles",
        "car,scooter,bike,foot",
        "--at",
        "We 08:30",
        "--keep",
        str(ROOT / "runs" / "lawful.jsonl"),
    ),
    "addresses": (),
    "live_speeds": (),
    "speed": (),
    "osrm_medians": (),
}
"""Modules of this folder that publish a result, with their options."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is wanted, write the page; exit status 1 where a part missed its floor."""
    parser = argparse.ArgumentParser(prog="benchmarks.roads", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", action="store_true", help="measure every row first")
    parser.add_argument("--only", default="", help="with --run: parts whose name contains this")
    chosen = parser.parse_args(arguments)
    status = 0
    for name, options in PARTS.items() if chosen.run else ():
        if chosen.only in name:
            part = importlib.import_module(f"benchmarks.roads.{name}")
            status = max(status, int(part.main([*options, "--out", str(RESULTS)])))
    PAGE.write_text(page(RESULTS), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written")
    return status


if __name__ == "__main__":
    sys.exit(main())
