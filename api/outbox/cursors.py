"""Where somebody has got to, as text that means nothing to them: behind an event, or behind a page.

An event's cursor is `EPOCH-NUMBER-TAG`: the epoch of the ledger, and a tag of the event itself, so that one of another
history (a ledger put back from a copy, with a restore or without) is told from ours.  A page's is `EPOCH-NUMBER`.
Plain numbers, as 0.1 gave them out, are taken for one release.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import NamedTuple

from api.ledger.outbox import Notice
from api.ledger.protocol import Ledger
from routing.errors import HalfhourError

CURSOR = r"^(?:[0-9]{1,15}|[0-9a-f]{8}-[0-9]{1,15}(?:-[0-9a-f]{8})?)$"
BEGIN = "0"


class CursorGone(HalfhourError):
    """What comes behind a cursor cannot be told any more; details hold `next`, from which it can."""

    code = "cursor_gone"


class Spot(NamedTuple):
    """What a cursor says: "" where an old one says nothing of epoch or event."""

    number: int
    epoch: str = ""
    tag: str = ""


def event_cursor(epoch: str, notice: Notice) -> str:
    """The cursor behind a notice."""
    return f"{epoch}-{notice.seq}-{_tag(notice)}"


def page_cursor(epoch: str, number: int) -> str:
    """The cursor behind the order that the board counted as `number`."""
    return f"{epoch}-{number}"


def spot_of(text: str) -> Spot:
    """A cursor read; its form was checked before."""
    if "-" not in text:
        return Spot(int(text))
    epoch, number, tag = (*text.split("-"), "")[:3]
    return Spot(int(number), epoch, tag)


def page_number(ledger: Ledger, text: str) -> int:
    """What `page_cursor` was made of; raises CursorGone for a page of another epoch."""
    spot = spot_of(text)
    if spot.epoch not in ("", ledger.identity.epoch):
        raise CursorGone("this page belongs to a ledger that was put back since", hint="Begin with the first page.")
    return spot.number


def check_event(ledger: Ledger, spot: Spot, tenants: Collection[str] | None) -> None:
    """Raises CursorGone where events behind it are others than were meant, or not kept for `tenants` (None: any)."""
    head = ledger.notice_head()
    if spot.epoch not in ("", ledger.identity.epoch) or spot.number > head:
        raise _gone(ledger, head, "the ledger was put back from a copy since this cursor was given")
    if spot.number == 0:
        return
    kept = ledger.notices(spot.number - 1, limit=1)
    if spot.tag and kept and kept[0].seq == spot.number and _tag(kept[0]) != spot.tag:
        raise _gone(ledger, head, "the ledger was put back from a copy since this cursor was given")
    forgotten = ledger.forgotten()
    last = max((seq for tenant, seq in forgotten.items() if tenants is None or tenant in tenants), default=0)
    if spot.number < last:
        raise _gone(ledger, head, "events behind this cursor are kept no longer")


def _gone(ledger: Ledger, head: int, why: str) -> CursorGone:
    newest = ledger.notices(head - 1, limit=1) if head else []
    now = event_cursor(ledger.identity.epoch, newest[0]) if newest else BEGIN
    hint = "Read what is open (GET /v1/deliveries), then go on from `next`."
    return CursorGone(why, hint=hint, next=now)


def _tag(notice: Notice) -> str:
    return f"{zlib.crc32(notice.event_id.encode()):08x}"
