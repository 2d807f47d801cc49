"""Reasons in somebody's own words may name a person: they are kept, and erased, with what is personal of a delivery.

Journal, events and the delivery itself say one of the plain reasons, or `other`.
"""

from __future__ import annotations

from collections.abc import Iterable

from api.ledger.protocol import VaultRow
from api.live.host import LiveHost

WORDS = "words"
"""Of what is personal in a vault row: what somebody said, by what it was said of (cancel, fail, hold ...)."""

OTHER = "other"
CANCELLED = ("customer", "store", "operator", "courier", "out_of_stock", "duplicate", "test", OTHER)
PLAIN = frozenset(
    {
        *CANCELLED, "absent", "complaint", "customer absent", "customer_absent", "customer called", "documents missing",
        "equipment broken", "goods missing", "goods_missing", "no rider", "rider asked for it", "rider called",
        "safety", "shut", "store called", "store shut", "store_shut", "stolen", "too late",
    }
)  # fmt: skip
"""Reasons that name nobody."""


def plain(said: str) -> str:
    """What journal and events may say."""
    return said if said in PLAIN else OTHER


def kept(host: LiveHost, order_ids: Iterable[str], about: str, said: str) -> tuple[VaultRow, ...]:
    """The rows of deliveries with the words that were said of them; none where the reason is plain."""
    if said in PLAIN:
        return ()
    found = []
    for order_id in dict.fromkeys(order_ids):
        record = host.order(order_id)
        row = host.vault_row(record.order.door_place) if record is not None else None
        if row is not None and row.erased_at is None:
            words = {**row.personal.get(WORDS, {}), about: said}
            found.append(row._replace(personal={**row.personal, WORDS: words}))
    return tuple(found)


def kept_of_rider(host: LiveHost, place: int, about: str, said: str) -> tuple[VaultRow, ...]:
    """The row of a rider (by the handle of their own place) with the words that were said of them."""
    row = host.vault_row(place)
    if row is None or said in PLAIN:
        return ()
    words = {**row.personal.get(WORDS, {}), about: said}
    return (row._replace(personal={**row.personal, WORDS: words}),)


def said_of_rider(host: LiveHost, place: int) -> dict[str, str]:
    """Words that were said of a rider, by what they were said of."""
    row = host.vault_row(place)
    found: dict[str, str] = row.personal.get(WORDS, {}) if row is not None else {}
    return found
