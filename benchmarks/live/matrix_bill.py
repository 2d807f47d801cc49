"""What a day costs at a travel service: ways asked for while the day runs, and before it is replayed.

    python -m benchmarks.live.matrix_bill [--orders 300] [--riders 30] [--stores 30] [--seed 801] [--per-thousand 5]

An invented day is replayed; at every order and round what a live service would ask for is counted, each way once.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from api.live.upkeep.travel_answers import in_play
from dispatch.engine.engine import Engine
from dispatch.events import Event
from dispatch.inputs import Input, OrderPlaced, RoundSolved
from dispatch.policies.policy import HalfhourPolicy
from dispatch.record.travel_spec import HttpSpec
from halfhour.synthetic import invent_day
from halfhour.travel.day_answers import cells_of_day
from routing.answers import AnswerBlock
from routing.asked_travel import AskedTravel
from sim.replay.replay import replay
from sim.scenario import Scenario
from sim.sources import open_scenario


def counted(day: Scenario, cells: int) -> dict[str, int]:
    """Ways of one profile that a day asks for: live, and all at once before a replay; places snapped to `cells`."""
    spec = HttpSpec("http://localhost", {"default": "bike"}, {"default": 250.0}, cells=cells)
    fresh = day.fresh()
    engine = Engine(fresh.catalogue.places, fresh.catalogue.settings)
    times, live = spec.bind(fresh.catalogue.places), 0

    def took(item: Input, events: tuple[Event, ...]) -> None:
        nonlocal times, live
        engine.apply(item, events)
        if isinstance(item, OrderPlaced | RoundSolved):
            asked, times = _asked(times, engine)
            live += asked

    replay(day, HalfhourPolicy(), seed=1, on_event=took)
    origins, destinations = cells_of_day(day, spec.bind(day.catalogue.places))
    return {"orders": len(day.demand), "live": live, "replay": len(origins) * len(destinations)}


def _asked(times: AskedTravel, engine: Engine) -> tuple[int, AskedTravel]:
    """How many ways are missing of those in play, and the times that know them."""
    origins, destinations = in_play(times, engine.board, {})
    missing = times.answers.missing(origins, destinations)
    if not missing.any():
        return 0, times
    rows, columns = np.flatnonzero(missing.any(axis=1)), np.flatnonzero(missing.any(axis=0))
    known = times.answers.block(times.answers.tenths, origins[rows], destinations[columns])
    block = AnswerBlock(origins[rows], destinations[columns], np.maximum(known, 0), np.maximum(known, 0), 1)
    return int(missing.sum()), times.under(times.answers.with_block(block))


def main(arguments: Sequence[str] | None = None) -> int:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--riders", type=int, default=30)
    parser.add_argument("--stores", type=int, default=30)
    parser.add_argument("--seed", type=int, default=801)
    parser.add_argument("--cells", default="9,10,11", help="H3 resolutions that places are snapped to")
    parser.add_argument("--per-thousand", type=float, default=5.0, help="price of a thousand ways")
    chosen = parser.parse_args(arguments)
    size: dict[str, Any] = {"orders": chosen.orders, "riders": chosen.riders, "stores": chosen.stores}
    with tempfile.TemporaryDirectory(prefix="matrix-bill-") as folder:
        invent_day(Path(folder) / "day", seed=chosen.seed, **size)
        day = open_scenario(Path(folder) / "day")
        print(f"{chosen.orders} orders, {chosen.riders} riders, {chosen.stores} stores, one profile")
        for cells in map(int, chosen.cells.split(",")):
            found = counted(day, cells)
            for word in ("live", "replay"):
                each = found[word] / found["orders"]
                print(f"cells = {cells}, {word}: {each:,.0f} ways an order, {each * chosen.per_thousand / 1000:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
