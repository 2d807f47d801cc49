"""Notices that have been committed, to whoever watches: by cursor, and as server-sent events.

A stream holds nothing but its cursor: when something is published it reads on from there, from memory or, where it fell
far behind, from the ledger.  So a slow viewer costs no memory and misses nothing.
"""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Any

from api.common.ids import timestamp
from api.ledger.outbox import Notice
from api.ledger.protocol import OPERATOR, Ledger
from api.outbox.cursors import Spot, check_event, event_cursor, spot_of

KEPT = 4096
HEARTBEAT_S = 10.0
LOOK_S = 2.0
"""A stream asks this often whether its viewer may still listen."""
MOST_AT_ONCE = 200

Sees = Callable[[Notice], bool]


def envelope(epoch: str, notice: Notice) -> dict[str, Any]:
    """A notice as it is sent, of a ledger in an epoch."""
    return {
        "id": notice.event_id,
        "cursor": event_cursor(epoch, notice),
        "kind": notice.kind,
        "subject": notice.subject,
        "sequence": notice.sequence,
        "created_at": timestamp(notice.created_at),
        "data": notice.data,
    }


def message(epoch: str, notice: Notice) -> bytes:
    """The body of a webhook."""
    return json.dumps(envelope(epoch, notice), ensure_ascii=False, separators=(",", ":")).encode()


class Feed:
    """The newest committed notices in memory; `changed` wakes whoever waits for more."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._epoch = ledger.identity.epoch
        self._recent: deque[tuple[Notice, bytes]] = deque(maxlen=KEPT)
        self._changed = asyncio.Event()
        self.is_closed = False
        self.listeners: list[Callable[[], None]] = []
        """Called after each publication (the sender of webhooks)."""

    def envelope(self, notice: Notice) -> dict[str, Any]:
        """A notice as it is sent: by cursor, stream and webhook alike."""
        return envelope(self._epoch, notice)

    def render(self, notice: Notice) -> bytes:
        """A notice as one line of a page."""
        return message(self._epoch, notice)

    def cursor(self, notice: Notice) -> str:
        """The cursor behind a notice."""
        return event_cursor(self._epoch, notice)

    async def number_of(self, cursor: str, tenants: Collection[str] | None) -> int:
        """The number of the notice that a cursor stands behind; raises CursorGone where `tenants` would miss some."""
        spot = spot_of(cursor)
        if not self._is_recent(spot):
            await asyncio.to_thread(check_event, self._ledger, spot, tenants)
        return spot.number

    def _is_recent(self, spot: Spot) -> bool:
        """True where memory alone can tell that the cursor is good."""
        if spot.epoch != self._epoch or not self._recent:
            return False
        at = spot.number - self._recent[0][0].seq
        return 0 <= at < len(self._recent) and self.cursor(self._recent[at][0]).endswith(f"-{spot.tag}")

    @property
    def head(self) -> int:
        """Number of the last notice published by this process (0: none)."""
        return self._recent[-1][0].seq if self._recent else 0

    def publish(self, notices: Sequence[Notice]) -> None:
        """Makes committed notices visible."""
        if not notices:
            return
        self._recent.extend((notice, self._frame(notice)) for notice in notices)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        for listener in self.listeners:
            listener()

    async def wait(self) -> None:
        """Returns when something more has been published."""
        await self._changed.wait()

    def close(self) -> None:
        """Ends every stream."""
        self.is_closed = True
        self._changed.set()

    async def after(self, cursor: int) -> list[tuple[Notice, bytes]]:
        """Notices behind a cursor, at most MOST_AT_ONCE; none where the cursor is at the head."""
        if self._recent and self._recent[0][0].seq <= cursor + 1:
            start = bisect_right(self._recent, cursor, key=lambda pair: pair[0].seq)
            return [self._recent[k] for k in range(start, min(len(self._recent), start + MOST_AT_ONCE))]
        if self._recent and cursor >= self.head:
            return []
        found = await asyncio.to_thread(self._ledger.notices, cursor, limit=MOST_AT_ONCE)
        return [(notice, self._frame(notice)) for notice in found]

    def _frame(self, notice: Notice) -> bytes:
        said = (self.cursor(notice).encode(), notice.kind.encode(), self.render(notice))
        return b"id: %s\nevent: %s\ndata: %s\n\n" % said

    async def stream(
        self,
        cursor: int,
        sees: Sees,
        ephemeral: Callable[[], bytes] | None = None,
        every_s: float = 1.0,
        *,
        may_listen: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[bytes]:
        """Server-sent events behind `cursor`; `ephemeral()` gives frames without an id (positions), b"" for none.

        Ends soon after `may_listen()` says no.
        """
        yield b"retry: 2000\n\n"
        quiet_s = 0.0
        while not self.is_closed and may_listen():
            changed = self._changed
            found = await self.after(cursor)
            if found:
                cursor = found[-1][0].seq
                block = b"".join(frame for notice, frame in found if sees(notice))
                if block:
                    quiet_s = 0.0
                    yield block
                continue
            wait_s = every_s if ephemeral is not None else LOOK_S
            try:
                async with asyncio.timeout(wait_s):
                    await changed.wait()
            except TimeoutError:
                quiet_s += wait_s
            frame = ephemeral() if ephemeral is not None else b""
            if frame:
                quiet_s = 0.0
                yield frame
            elif quiet_s >= HEARTBEAT_S:
                quiet_s = 0.0
                yield b": still here\n\n"


def seen_by(tenant: str, *, all_tenants: bool, operator: bool, rider_id: str | None) -> Sees:
    """Which notices a caller may see: a rider theirs, a tenant those of its deliveries, the operator's keys more."""
    if rider_id is not None:
        return lambda notice: notice.tenant == OPERATOR and notice.data.get("rider_id") == rider_id
    if all_tenants:
        return lambda notice: True
    if operator:
        return lambda notice: notice.tenant in (tenant, OPERATOR)
    return lambda notice: notice.tenant == tenant
