"""Opening hours of invented stores: most are always open, some open late, some rest at lunch, some close early."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dispatch.calendar.opening_hours import DAY_S, parsed
from dispatch.model import Store
from sim.scenario import MAX_DAY_S

OPENS_LATE, RESTS, CLOSES_EARLY = 0.15, 0.10, 0.10
"""Shares of the stores; the rest has no hours."""
STEP_S = 300
"""Doors open and close on every fifth minute."""


def hours_text(rng: np.random.Generator, begin_at: int, end_at: int) -> str:
    """Opening hours of one store, by UTC clocks, for orders from `begin_at` to `end_at`; "" where it is always open."""
    kind, share, length = rng.random(3).tolist()
    begin, span = begin_at % DAY_S, end_at - begin_at
    opens, closes = begin - 3_600, begin + span + 7_200
    if kind < OPENS_LATE:
        return _text((begin + span * (0.1 + 0.4 * share), closes))
    if kind < OPENS_LATE + RESTS:
        rests = begin + span * (0.3 + 0.3 * share)
        return _text((opens, rests), (rests + 900 + span * 0.2 * length, closes))
    if kind < OPENS_LATE + RESTS + CLOSES_EARLY:
        return _text((opens, begin + span * (0.6 + 0.3 * share)))
    return ""


def _text(*spans: tuple[float, float]) -> str:
    return ",".join(f"{_clock(opens)}-{_clock(closes)}" for opens, closes in spans)


def _clock(second: float) -> str:
    """Clock time of a second of the day; what lies past midnight counts on from 24:00, as opening hours do."""
    minutes = round(second / STEP_S) * STEP_S // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"


def with_hours(store: Store, text: str, begin_at: int) -> Store:
    """The store, open as the text says on the days around `begin_at`."""
    if not text:
        return store
    night_before = datetime.datetime.fromtimestamp(begin_at, datetime.UTC).date() - datetime.timedelta(days=1)
    spans = parsed(text).spans(night_before, MAX_DAY_S // DAY_S + 2, datetime.UTC)
    return dataclasses.replace(store, hours=text, spans=spans)


def among_the_open(
    rng: np.random.Generator,
    stores: Sequence[Store],
    chosen: NDArray[np.int64],
    placed: NDArray[np.int64],
    prep_s: NDArray[np.float64],
    popularity: NDArray[np.float64],
) -> NDArray[np.int64]:
    """The store of each order: another one, by its popularity, where the chosen one is closed to it.

    Nobody orders from a store that is closed, or that will be when the goods are ready as usual; where all are, the
    choice stays.
    """
    found = chosen.copy()
    for k, at in enumerate(placed.tolist()):
        if _serves(stores[found[k]], at, float(prep_s[found[k]])):
            continue
        share = popularity * [_serves(store, at, float(s)) for store, s in zip(stores, prep_s.tolist(), strict=True)]
        if share.any():
            found[k] = rng.choice(len(stores), p=share / share.sum())
    return found


def _serves(store: Store, at: int, prep_s: float) -> bool:
    return store.opens_from(at) == at and store.opens_from(at + round(prep_s)) == at + round(prep_s)
