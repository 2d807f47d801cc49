"""Experiments of a thing with itself: `python -m benchmarks.days.same_twice [--blocks 400] [--jobs 2] [--out DIR]`.

So many small days are replayed twice with the same luck, under two seeds of the search alone.  From the differences of
click to door, centred on their mean, 1,000 experiments of 32 blocks are drawn with replacement: the share that claims a
difference must be near alpha, and a planted difference must lie in its interval nearly as often as the interval says.
The replays are kept under build/, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.published import publish
from benchmarks.resumable import ROOT, code_digest
from dispatch.record.run_folder import read_csv
from halfhour.lab.conducting import conduct
from halfhour.lab.experiment import read_experiment
from halfhour.lab.statistics.paired import paired

KEY = "click_to_door_mean_s"
DRAWN, EXPERIMENTS, ALPHA = 32, 1_000, 0.05
PLANTED_S = 30.0
FALSE_CLAIMS, COVERED = (0.036, 0.064), (0.93, 0.97)

FILE = """
name = "same twice"
[settings]
"search.seed" = [1, 2]
[invented]
days = {blocks}
orders = 60
riders = 8
stores = 8
hours = 0.75
[least_effect]
{key} = 1
"""


def differences(blocks: int, jobs: int) -> NDArray[np.float64]:
    """Seconds of click to door by which the second search seed differs from the first, one a block."""
    folder = ROOT / "build" / f"same-twice-{blocks}-{code_digest()}"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "same-twice.toml"
    file.write_text(FILE.format(blocks=blocks, key=KEY), encoding="utf-8")
    out = folder / "experiment"
    conduct(read_experiment(file), out, jobs=jobs, resume=True, progress=_say)
    found: dict[str, dict[str, float]] = {}
    for line in read_csv(out / "runs.csv"):
        found.setdefault(line["day"], {})[line["arm"]] = float(line[KEY])
    return np.array([second - first for first, second in (tuple(arms.values()) for arms in found.values())])


def judged(gaps: NDArray[np.float64]) -> dict[str, Any]:
    """Shares of 1,000 experiments: that claim a difference where there is none, and that cover a planted one."""
    centred = gaps - gaps.mean()
    luck = np.random.Generator(np.random.PCG64(2026))
    drawn = [luck.choice(centred, DRAWN) for _ in range(EXPERIMENTS)]
    nothing = [paired(values, ALPHA, seed=k) for k, values in enumerate(drawn)]
    planted = [paired(values + PLANTED_S, ALPHA, seed=k) for k, values in enumerate(drawn)]
    covers = [abs(said.mean - PLANTED_S) <= (said.half_width or 0.0) for said in planted]
    return {
        "blocks": len(gaps),
        "deviation_s": round(float(gaps.std(ddof=1)), 2),
        "equal_blocks": int((gaps == 0.0).sum()),
        "false_claims_t": sum((said.p_t or 0.0) < ALPHA for said in nothing) / EXPERIMENTS,
        "false_claims_signs": sum(said.p_flip < ALPHA for said in nothing) / EXPERIMENTS,
        "planted_covered": sum(covers) / EXPERIMENTS,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the shares; status 1 where one lies outside its bounds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.days.same_twice", description=__doc__)
    parser.add_argument("--blocks", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=None, help="folder for the figures as JSON")
    chosen = parser.parse_args(arguments)
    found = judged(differences(chosen.blocks, chosen.jobs))
    line = (
        f"{found['blocks']} blocks twice: false claims {found['false_claims_t']:.1%} by t, "
        f"{found['false_claims_signs']:.1%} by signs; planted covered {found['planted_covered']:.1%}"
    )
    if chosen.out is not None:
        publish(chosen.out, "same-twice", found, [line])
    print(line)
    within = FALSE_CLAIMS[0] <= found["false_claims_t"] <= FALSE_CLAIMS[1]
    return int(not (within and COVERED[0] <= found["planted_covered"] <= COVERED[1]))


def _say(done: int, total: int, note: str) -> None:
    if done % 20 == 0:
        print(note, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
