"""Who could be at a store soonest, for quotes and trials: by cells around it, and by looking at every rider."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Case, Sample, Work
from dispatch import inputs as i
from dispatch.engine.engine import Engine
from dispatch.model import Rider, Shift, Store
from dispatch.rounds import soonest
from dispatch.rounds.trial import MOST_RIDERS
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from routing.travel import StraightTravel

SIZES = (100, 400, 1_000, 10_000)
STORES, HALF_M, AT = 40, 12_000, 1_700_000_000


def _city(riders: int) -> tuple[Engine, StraightTravel, list[int]]:
    """Riders on duty all over a city of 24 by 24 kilometres, whatever their number; stores nearer to its middle."""
    luck, book = np.random.default_rng(1), PlaceBook("wgs84")
    engine = Engine(book, Settings())

    def add(half_m: float) -> int:
        y, x = luck.uniform(-half_m, half_m, 2).tolist()
        return book.add(48.1 + y / 111_195, 11.5 + x / 74_260)

    stores = [add(HALF_M / 2) for _ in range(STORES)]
    for k, place in enumerate(stores):
        engine.handle(i.StoreListed(at=AT, store=Store(f"s{k}", place)))
    for k in range(riders):
        engine.handle(i.RiderListed(at=AT, rider=Rider(f"r{k}", add(HALF_M))))
        engine.handle(i.ShiftPlanned(at=AT, shift=Shift(f"r{k}", AT, AT + 14_400)))
    return engine, StraightTravel(book, {"default": 250.0}, detour=1.3), stores


def _prepared(riders: int, cells: bool) -> Work:
    engine, times, stores = _city(riders)
    least = soonest.CELLS_FROM

    def run() -> Sample:
        soonest.CELLS_FROM = 0 if cells else 2**31
        try:
            found = [soonest.soonest(engine.board, place, times, AT, MOST_RIDERS) or {} for place in stores]
        finally:
            soonest.CELLS_FROM = least
        # The same riders either way, or the gate says so.
        names = [int(rider_id[1:]) for each in found for rider_id in each]
        return Sample({"found": len(names), "who": sum(k * name for k, name in enumerate(names, 1))}, {}, len(stores))

    return run


def _case(riders: int, cells: bool) -> Case:
    way = "cells" if cells else "each"
    return Case(f"soonest-{way}/{riders}", lambda: _prepared(riders, cells), ("full",), repeats=5, unit="stores")


CASES = tuple(_case(riders, cells) for riders in SIZES for cells in (False, True))
