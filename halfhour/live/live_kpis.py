"""The figures of a live day: the fold that every replay is measured by, over the journal of a ledger."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import Any, NamedTuple

from api.ledger.recovery import place_book
from api.ledger.upkeep.lived import Reading, name_of, opened
from dispatch.calendar.local_time import zone_of
from dispatch.codec import decode_event, decode_input
from dispatch.record.catalogue import Catalogue
from dispatch.record.kpi import KpiFold
from dispatch.record.travel_spec import travel_spec

NOTHING = hashlib.sha256().hexdigest()


class Lived(NamedTuple):
    """A journal, folded, and the instants of its first and last entry (0 where it has none)."""

    fold: KpiFold
    time_zone: str
    first_at: int
    last_at: int
    skipped: int
    """Entries that somebody has left out of every fold (`halfhour journal repair`)."""
    left_out: int
    """Later ones that mean nothing without them."""


def figures_of(address: str | Path) -> dict[str, Any]:
    """Every figure by its name; `from`, `to`: the first and last entry, in the market's time zone."""
    lived = _lived(address)
    zone = zone_of(lived.time_zone)
    begins, ends = (datetime.datetime.fromtimestamp(at, zone).isoformat() for at in lived[2:4])
    figures = lived.fold.summary()
    # A day that still goes on: what is under way is open, not undelivered, and no rider told is no decision to digest.
    is_open = sum(not life.state.is_final for life in lived.fold.orders.values())
    figures |= {"open": is_open, "undelivered": figures["undelivered"] - is_open}
    if figures["decision_digest"] == NOTHING:
        del figures["decision_digest"]
    left_out = {"skipped_entries": lived.skipped, "left_out_entries": lived.left_out}
    return {"time_zone": lived.time_zone, "from": begins, "to": ends, **figures, **left_out}


def kpis_of(address: str | Path) -> KpiFold:
    """Everything that a ledger's journal tells, segments included; positions are those of the vault."""
    return _lived(address).fold


def _lived(address: str | Path) -> Lived:
    reader = opened(address)
    places = place_book(reader.header().get("frame", "wgs84"), reader.vault())
    travel = travel_spec(reader.value("travel") or {"kind": "straight", "metres_per_minute": {"default": 250.0}})
    zone = reader.value("time_zone") or "UTC"
    folded = KpiFold(Catalogue(name_of(address), 0, places, (), (), (), travel, time_zone=zone, source="live"))
    first_at = last_at = 0
    read = Reading(reader)
    for entry in read:
        with read.taking(entry):
            folded.take(decode_input(entry.input), [decode_event(event) for event in entry.events])
        first_at, last_at = first_at or entry.at, entry.at
    reader.close()
    return Lived(folded, zone, first_at, last_at, read.skipped, read.left_out)
