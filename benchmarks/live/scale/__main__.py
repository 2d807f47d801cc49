"""Each row of what several machines must reach, in one run with a probe of the disk beside it.

    python -m benchmarks.live.scale [--only append --only faults ...] [--out benchmarks/results]

A PostgreSQL server of its own is started, from Debian's packages, on loopback and with fsync on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.live.load import fsync_ms
from benchmarks.live.scale import faults, hosts, writing
from benchmarks.published import publish
from tests.kit.service.postgres import Server, server

Row = Callable[[Server, Path, argparse.Namespace], dict[str, Any]]

ROWS: dict[str, Row] = {
    "append": lambda made, folder, chosen: writing.append(made, folder, chosen.seconds, chosen.per_s),
    "start": lambda made, folder, chosen: writing.start(made, folder, chosen.past),
    "faults": lambda made, folder, chosen: faults.faults(made, folder, chosen.kills, chosen.stops, fence=True),
    "no-fence": lambda made, folder, chosen: faults.faults(made, folder, 4, 4, fence=False),
    "promotion": lambda made, folder, chosen: faults.promotion(chosen.repeats),
    "takeover": lambda made, folder, chosen: hosts.takeover(made, chosen.repeats),
    "move": lambda made, folder, chosen: hosts.move(made, chosen.repeats),
    "hosts": lambda made, folder, chosen: hosts.one_of_three(made, chosen.markets),
}


def main() -> None:
    """Run the rows that are asked for and say what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=tuple(ROWS), action="append")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each block of the row append")
    parser.add_argument("--per-s", type=float, default=500.0, help="orders a second of the row append")
    parser.add_argument("--past", type=int, default=1_000_000, help="orders in the past of the row start")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--stops", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=20, help="of promotion, takeover and move")
    parser.add_argument("--markets", type=int, default=12, help="of the row hosts")
    parser.add_argument("--out", type=Path, help="folder for the result as JSON and text")
    chosen = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="hh-scale-") as name, server("fsync = on") as made:
        folder = Path(name)
        for row in chosen.only or ROWS:
            (folder / row).mkdir()
            found[row] = fsync_ms(folder) | ROWS[row](made, folder / row, chosen)
            print(json.dumps({row: found[row]}), flush=True)
    if chosen.out is not None:
        publish(chosen.out, "scale", found, [f"{row}: {json.dumps(said)}" for row, said in found.items()])


if __name__ == "__main__":
    main()
