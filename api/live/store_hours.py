"""Opening hours of a running service: the engine knows their spans for days ahead, renewed before they run out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from dispatch.calendar.local_time import local_of, zone_of
from dispatch.calendar.opening_hours import DAY_S, Span, parsed
from dispatch.inputs import StoreListed
from routing.errors import HalfhourError

if TYPE_CHECKING:
    from api.live.host import LiveHost

log = logging.getLogger(__name__)

AHEAD_DAYS = 15
NEEDED_S = 8 * DAY_S
"""An order may be placed a week ahead: so far, and a day more, spans must always reach."""


def spans_of(text: str, now: int, time_zone: str) -> tuple[Span, ...]:
    """What opening hours mean from yesterday on; raises InvalidHours."""
    zone = zone_of(time_zone)
    return parsed(text).spans(local_of(now, zone).date() - timedelta(days=1), AHEAD_DAYS, zone)


async def renew(host: LiveHost, time_zone: str) -> None:
    """Tells the engine of days that have come nearer, and of a time zone that has changed."""
    now = host.clock.now()
    for record in tuple(host.board.stores.values()):
        store = record.store
        if not store.hours:
            continue
        try:
            spans = spans_of(store.hours, now, time_zone)
            if _ahead(spans, now) != _ahead(store.spans, now):
                listed = replace(store, spans=spans)
                await host.tell(lambda at, listed=listed: StoreListed(at=at, store=listed))  # type: ignore[misc]
        except HalfhourError as problem:
            log.error("the opening hours of store %s are not renewed: %s", store.store_id, problem)


def _ahead(spans: Iterable[Span], now: int) -> list[Span]:
    ends = now + NEEDED_S
    return [(max(opens, now), min(closes, ends)) for opens, closes in spans if opens < ends and closes > now]
