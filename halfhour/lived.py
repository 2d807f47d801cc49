"""The figures of a live day: the fold that every replay is measured by, over the journal of a ledger."""

from __future__ import annotations

from pathlib import Path

from api.ledger.keeping import opened
from api.recovery import place_book
from dispatch.catalogue import Catalogue, travel_spec
from dispatch.codec import decode_event, decode_input
from dispatch.kpi import KpiFold


def kpis_of(folder: Path) -> KpiFold:
    """Everything that a ledger's journal tells, segments included; positions are those of the vault."""
    reader = opened(folder)
    places = place_book(reader.header().get("frame", "wgs84"), reader.vault())
    travel = travel_spec(reader.value("travel") or {"kind": "straight", "metres_per_minute": {"default": 250.0}})
    folded = KpiFold(Catalogue(folder.name, 0, places, (), (), (), travel, source="live"))
    for entry in reader.entries():
        folded.take(decode_input(entry.input), [decode_event(event) for event in entry.events])
    reader.close()
    return folded
