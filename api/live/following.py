"""A host that follows: it folds along what another one writes, shows it, and goes on from there once the market is its.

What it shows is late by what `lag_s` says: since the last time when everything that was in the ledger was on its board.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from api.common.clock import ticks
from api.ledger.protocol import Holder, LedgerFailed, VaultRow
from api.ledger.recovery import BEHIND_ALL, Tail
from api.live import on_board
from api.live.host import LiveHost
from dispatch.errors import CorruptJournal
from dispatch.settings.settings import Settings

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
ROWS_EVERY_S = 2.0
"""Names, notes and proofs change without an entry: they are read anew this often."""


class Follower:
    """Keeps a host's board at the end of a ledger that another host writes."""

    def __init__(self, host: LiveHost, settings: Settings) -> None:
        """`settings`: those that an empty journal begins with."""
        self._host, self._settings = host, settings
        self._tail: Tail | None = None
        self._rows: dict[int, VaultRow] = {}
        self._rows_at = self._all_at = ticks()
        self._is_close = False
        self.owner = Holder("", "")
        """Who has the market."""

    @property
    def lag_s(self) -> float:
        """For so long something may stand in the ledger that is not shown yet."""
        return ticks() - min(self._all_at, self._rows_at)

    async def run(self, on_wait: Callable[[str], None], on_taken: Callable[[], None]) -> None:
        """Follows until the ledger is ours (`on_taken()`: from now on it must be renewed) and the board at its end."""
        ledger = self._host.ledger
        taking = asyncio.create_task(asyncio.to_thread(ledger.take, on_wait, lambda: self._is_close))
        taking.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody waits at the end
        while not taking.done():
            await self._step()
            await asyncio.wait({taking}, timeout=LOOK_EVERY_S)
        await taking
        on_taken()
        self._host.hide()
        try:
            while self._tail is not None and not await self._read(self._tail):
                pass  # whoever had it writes nothing any more
        except (LedgerFailed, CorruptJournal) as problem:
            log.warning("the journal is folded anew: %s", problem.message)
            self._tail = None
        log.info("the market is ours", extra={"was_followed": self._tail is not None})
        await self._host.lead(self._tail)

    async def _step(self) -> None:
        """Reads what there is; what cannot be read now is read later, and `lag_s` says so."""
        host = self._host
        try:
            self.owner = await asyncio.to_thread(host.ledger.whereabouts)
            if self._tail is None:
                self._tail = await asyncio.to_thread(Tail, host.ledger, self._settings)
            asked_at = ticks()
            while not await self._read(self._tail):
                asked_at = ticks()
            self._all_at, self._is_close = asked_at, True
            if ticks() - self._rows_at >= ROWS_EVERY_S or not self._rows:
                asked_at, handles = ticks(), on_board.handles(self._tail.board)
                rows = await asyncio.to_thread(lambda: list(host.ledger.vault(handles, BEHIND_ALL)))
                self._rows, self._rows_at = {row.handle: row for row in rows}, asked_at
            host.show(self._tail, self._rows)
        except CorruptJournal as problem:
            log.error("the journal cannot be followed: %s", problem.message)
            self._tail, self._is_close = None, True  # whoever takes the market folds it, and hears of it then
            host.hide()
            await asyncio.sleep(ROWS_EVERY_S)
        except LedgerFailed as problem:
            log.warning("the ledger cannot be followed now: %s", problem.message)
            if problem.code == "ledger_went_back":
                self._tail, self._is_close = None, False
                host.hide()

    async def _read(self, tail: Tail) -> bool:
        """Takes in what is there now; True where that was all."""
        look = await asyncio.to_thread(tail.look)
        tail.take(look)
        self._rows.update((row.handle, row) for row in look.rows)
        return look.is_all
