"""Invented days of one market, replayed with a quote for every order: what was said of each, and when it came."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from dispatch.engine.engine import Engine
from dispatch.events import OrderAccepted
from dispatch.policies.policy import HalfhourPolicy
from dispatch.promise.tracker import Tracker
from dispatch.record.run_folder import RunFolder
from dispatch.record.telling import Telling, taught_by, tellings
from halfhour.synthetic import write_synthetic
from sim.invent.lunch_peak import DaySize
from sim.replay.replay import replay_into
from sim.sources import open_scenario

FITTED = (511, 512, 513, 514)
"""What promises begin with."""
CHOSEN_ON = (611, 612, 613)
"""Groups and paces were chosen on these."""
REPORTED = (711, 712, 713, 714, 715, 716, 717, 718)
"""Never looked at before."""

STORES, RIDERS, ORDERS, HOURS = 40, 25, 630, 4.0
SCARCITIES = (1.0, 1.1, 0.9, 1.05)
"""One after another: staff does not fit demand to the rider."""
KINDS = ("busy", "middling", "quiet")
RAIN_EVERY, RAIN_SCARCITY = 8, 0.8
"""The last of so many days is a rainstorm, for which more riders have come."""


def size_of(seed: int) -> DaySize:
    """The day of a seed; the last digits count days."""
    number = seed % 10 - 1
    is_wet = number % RAIN_EVERY == RAIN_EVERY - 1
    scarcity = RAIN_SCARCITY if is_wet else SCARCITIES[number % len(SCARCITIES)]
    return DaySize(STORES, RIDERS, ORDERS, HOURS, scarcity, rain=is_wet)


def folder_of(work: Path, seed: int) -> Path:
    """Where the run of a seed's day lies."""
    return work / f"day-{seed}"


def is_finished(work: Path, seed: int) -> bool:
    """Whether a seed's day lies there whole."""
    return (folder_of(work, seed) / "summary.json").exists()


def replayed(work: Path, seed: int) -> Path:
    """The run folder of a seed's day, replayed where it is missing."""
    target = folder_of(work, seed)
    if not is_finished(work, seed):
        with tempfile.TemporaryDirectory(prefix="promise-day-") as scratch:
            write_synthetic(Path(scratch) / "day", seed, size_of(seed))
            scenario = open_scenario(Path(scratch) / "day")
            replay_into(target, scenario, HalfhourPolicy(), force=True, seed=seed, quotes=True)
    return target


def replay_all(work: Path, seeds: Sequence[int], jobs: int, told: Callable[[str], None]) -> None:
    """Replay the days that are missing, some at a time; several processes may share `work`."""
    missing = [seed for seed in seeds if not is_finished(work, seed)]
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(max(jobs, 1), mp_context=context) as pool:
        runs = {pool.submit(replayed, work, seed): seed for seed in missing}
        for number, run in enumerate(concurrent.futures.as_completed(runs), 1):
            run.result()
            told(f"day {runs[run]}: {number} of {len(missing)}")


def said_again(work: Path, seed: int, known: Tracker) -> tuple[list[Telling], Tracker]:
    """What the engine says of a seed's day when it begins with what is known; and what it knows in the evening.

    Every input of the day is decided once more: what is said of orders changes no decision of a day whose promises are
    fixed, so nothing is replayed.
    """
    run = RunFolder(folder_of(work, seed))
    catalogue = run.catalogue
    engine = Engine(catalogue.places, run.settings())
    engine.handle(taught_by(known, catalogue.begin_at))
    events = [(engine.handle(entry.item),) for entry in run.entries()]
    return tellings(events), engine.board.promise


def kinds_of_stores(work: Path, seed: int) -> dict[str, str]:
    """By order, how much its store had to do that day: the busiest stores have a third of all orders, and so on."""
    placed = [
        (event.order.order_id, event.order.store_id)
        for entry in RunFolder(folder_of(work, seed)).entries()
        for event in entry[-1]
        if isinstance(event, OrderAccepted)
    ]
    counts = Counter(store_id for _, store_id in placed)
    kinds, before = {}, 0
    for store_id, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        kinds[store_id] = KINDS[min(3 * before // len(placed), 2)]
        before += count
    return {order_id: kinds[store_id] for order_id, store_id in placed}
