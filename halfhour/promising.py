"""What promises begin with, as a file: fitted on finished runs, read by replays and by a live service."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch.promise.told import LEVELS, PLAN, QUOTE
from dispatch.promise.tracker import Tracker
from routing.errors import InvalidInput, UnreadableFile

if TYPE_CHECKING:
    from api.live.host import LiveHost

KIND = "halfhour promise 1"
SLICES = ("load", "hour", "lead", "zone", "weather")


PASSES = 5
"""How often runs are gone through: a tracker moves no faster than deliveries come, and once is too short to arrive."""


def fitted(runs: Sequence[Path]) -> tuple[Tracker, dict[str, int]]:
    """What is known after the orders of run folders, one run after another; how many orders taught each basis.

    All are gone through PASSES times, and each order counts once.  Raises InvalidInput where nothing was said in them.
    """
    from dispatch.record.run_folder import RunFolder
    from dispatch.record.telling import tellings, tracked_again

    told = []
    for path in runs:
        told.append(tellings(RunFolder(path).entries()))
        if not told[-1]:
            raise InvalidInput(
                "nothing was said of its orders in this run",
                code="nothing_said",
                file=str(path),
                hint="Replay the day with this version, with rules.promise_odds true.",
            )
    tracker = Tracker()
    for number in range(PASSES):
        for day in told:
            tracked_again(day, tracker)
        if not number:
            counts = dict(sorted(tracker.taught.items()))
    tracker.taught = dict(counts)
    return tracker, counts


def written(path: Path, tracker: Tracker, *, force: bool = False) -> None:
    """Write what a tracker knows; raises OutputExists where the file is in the way."""
    from dispatch.record.run_folder import OutputExists

    if path.exists() and not force:
        raise OutputExists("it exists already", file=str(path), hint="Name another file, or add --force.")
    text = json.dumps({"kind": KIND, **tracker.dump()}, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")


def read(path: str | Path) -> Tracker:
    """What a file of `halfhour promise fit` knows; raises UnreadableFile."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        if value["kind"] != KIND:
            raise ValueError(f"it is a {value['kind']!r}")
        made = Tracker.load(value)
        if any(len(offsets) != len(LEVELS) for offsets in made.offsets.values()):
            raise ValueError(f"it does not hold {len(LEVELS)} quantiles")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise UnreadableFile(
            f"what promises begin with cannot be read: {problem}",
            file=str(path),
            hint="Write it by `halfhour promise fit RUN...`.",
        ) from problem
    return made


async def begin_with(host: LiveHost, tracker: Tracker) -> str:
    """Say to a live service what promises begin with, where it has learnt nothing yet; a note of what was done."""
    from dispatch.record.telling import taught_by

    learnt = host.board.promise.taught
    if learnt:
        told = ", ".join(f"{count:,} orders by {basis}" for basis, count in sorted(learnt.items()))
        return f"promises go on from what the ledger has learnt ({told}): the file of promises was not taken"
    await host.tell(lambda at: taught_by(tracker, at))
    told = ", ".join(f"{count:,} orders by {basis}" for basis, count in sorted(tracker.taught.items()))
    return f"promises begin with what was learnt from {told or 'no orders'}"


def checked(runs: Sequence[Path]) -> dict[str, Any]:
    """By basis: orders, the share that came by each level said, P90 by slices, tenths."""
    from dispatch.record import calibration
    from dispatch.record.kpi import kpis
    from dispatch.record.run_folder import RunFolder

    folders = [RunFolder(path) for path in runs]
    lives = [life for run in folders for life in kpis(run.catalogue, run.entries()).orders.values()]
    found: dict[str, Any] = {}
    for basis in (QUOTE, PLAN):
        mine = calibration.outcomes(lives, basis)
        if not mine:
            continue
        found[basis] = {
            "orders": len(mine),
            "levels": {f"{level / 1000:.2f}": calibration.coverage(mine, level) for level in LEVELS},
            "tenths": [row._asdict() for row in calibration.tenths(mine)],
            "slices": {
                name: calibration.slices(mine, functools.partial(calibration.group_of, name=name)) for name in SLICES
            },
        }
    if not found:
        raise InvalidInput("nothing was said of any order in these runs", code="nothing_said", file=str(runs[0]))
    return found
