"""The board as a stream: one look for all viewers, a few times a second, and only what has changed.

Frames are numbered.  Who comes back with the number of the last frame seen gets those that were missed, or the whole
board if those are no longer kept.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from api.console.board_view import changes
from api.outbox.feed import LOOK_S
from routing.errors import HalfhourError

__all__ = ["BoardFeed", "Frame"]


class Frame(NamedTuple):
    """One message to a viewer: `kind` is board (everything) or changes; `data` is JSON text."""

    number: int
    kind: str
    data: str

    def sse(self) -> bytes:
        """The frame as a server-sent event."""
        return f"id: {self.number}\nevent: {self.kind}\ndata: {self.data}\n\n".encode()


class BoardFeed:
    """Looks at the board every `beat_s` while somebody watches."""

    def __init__(self, look: Callable[[], dict[str, Any]], *, beat_s: float = 0.2, kept: int = 150) -> None:
        self._look, self._beat_s = look, beat_s
        self._looked_at = -math.inf
        self._text: tuple[Any, str] | None = None
        self._view: dict[str, Any] | None = None
        self._number = 0
        self._kept: deque[Frame] = deque(maxlen=kept)
        self._news = asyncio.Condition()
        self._viewers = 0
        self._beat: asyncio.Task[None] | None = None
        self._closed = False

    def whole(self) -> Frame:
        """The board as it is now, with the number to go on from."""
        stale = not self._viewers and time.monotonic() - self._looked_at >= self._beat_s
        if self._view is None or stale:
            self._refresh()
        if self._text is None or self._text[0] is not self._view:
            self._text = self._view, json.dumps(self._view, separators=(",", ":"))
        return Frame(self._number, "board", self._text[1])

    async def frames(
        self,
        after: int | None = None,
        *,
        heartbeat_s: float = LOOK_S,
        may_watch: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[Frame | None]:
        """Every frame after number `after` (None: the whole board first); None is a heartbeat.

        Ends at `close`, and soon after `may_watch()` says no.
        """
        self._viewers += 1
        if self._beat is None:
            self._refresh()
            self._beat = asyncio.create_task(self._watch())
        try:
            if after is None or not self._holds(after):
                first = self.whole()
                after = first.number
                yield first
            while not self._closed and may_watch():
                missed = [frame for frame in self._kept if frame.number > after]
                if missed and missed[0].number != after + 1:  # a slow viewer: those between are gone
                    missed = [self.whole()]
                for frame in missed:
                    after = frame.number
                    yield frame
                if not missed and not await self._wait(after, heartbeat_s):
                    yield None
        finally:
            self._viewers -= 1
            if not self._viewers and self._beat is not None:
                self._beat.cancel()
                self._beat = None

    async def close(self) -> None:
        """Ends every stream."""
        self._closed = True
        if self._beat is not None:
            self._beat.cancel()
        async with self._news:
            self._news.notify_all()

    def _holds(self, after: int) -> bool:
        """True where every frame after number `after` is still kept."""
        first_kept = self._kept[0].number if self._kept else self._number + 1
        return self._view is not None and first_kept - 1 <= after <= self._number

    async def _wait(self, after: int, most_s: float) -> bool:
        try:
            async with asyncio.timeout(most_s), self._news:
                await self._news.wait_for(lambda: self._closed or self._number > after)
        except TimeoutError:
            return False
        return True

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._beat_s)
            try:
                news = self._refresh()
            except HalfhourError:  # the service folds anew: viewers keep what they see until it is back
                continue
            if news:
                async with self._news:
                    self._news.notify_all()

    def _refresh(self) -> bool:
        """Looks again; True and a new frame if anything but the time has changed."""
        self._looked_at = time.monotonic()
        view = self._look()
        before, self._view = self._view, view
        if before is None:
            return False
        found = changes(before, self._view)
        quiet = found["ladder"] == before["ladder"] and found["counts"] == before["counts"]
        if quiet and not any(found[table] or found["gone"][table] for table in ("stores", "riders", "orders")):
            return False
        self._number += 1
        self._kept.append(Frame(self._number, "changes", json.dumps(found, separators=(",", ":"))))
        return True
