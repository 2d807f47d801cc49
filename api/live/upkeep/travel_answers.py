"""Answers of a travel service while a market runs: asked for as soon as places come into play.

Nobody waits for them: a round or a quote counts with what is known, straight lines where nothing is.  What is answered
holds as any change of travel times does: the engine hears of it by TravelChanged, and the ledger keeps it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from api.ledger.protocol import LedgerFailed
from api.matrix.client import Lot, MatrixClient
from api.matrix.errors import MatrixFailed
from dispatch.board.board import Board
from dispatch.board.progress import whereabouts
from dispatch.rounds.freeze import takes_part
from routing.answers import Answers, Cells
from routing.asked_travel import AskedTravel
from routing.cells import cell_of

if TYPE_CHECKING:
    from api.live.host import LiveHost

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
QUOTE_WAIT_S = 0.25
"""A quote waits for its door's ways so long, and counts with straight lines then."""
QUOTED = 256
"""Doors of quotes that are remembered as in play: most become orders."""


class TravelAnswers:
    """Asks one service for what one market needs."""

    def __init__(self, host: LiveHost, client: MatrixClient) -> None:
        self._host = host
        self._client = client
        self._turn = asyncio.Lock()
        self._waiting: asyncio.Task[None] | None = None
        self._quoted: dict[int, int | None] = {}
        """Cells of doors, and the place of the store that they would be served from."""
        self._seen: dict[int, int] = {}
        """The last time that a cell was in play, epoch seconds."""
        self._complete: tuple[object, ...] | None = None
        """What was looked at when nothing was missing any more."""
        self._has_warned = False

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                await self._looked_after()
        finally:
            await self._client.close()

    async def know(self, lat: float, lng: float, store_id: str | None) -> None:
        """Asks for the ways of a door that somebody wants a quote for; returns when they are known, or soon."""
        cell = cell_of(lat, lng, self._times().resolution)
        store = self._host.board.stores.get(store_id) if store_id is not None else None
        self._quoted.pop(cell, None)
        self._quoted[cell] = None if store is None else store.store.place
        while len(self._quoted) > QUOTED:
            del self._quoted[next(iter(self._quoted))]
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._looked_after())
        await asyncio.wait({self._waiting}, timeout=QUOTE_WAIT_S)

    async def _looked_after(self) -> None:
        try:
            async with self._turn:
                self._waiting = None  # who comes from now on is not in this look any more
                if self._host.takes_inputs:
                    await self.look()
        except MatrixFailed as problem:
            log.warning("the travel service fails: %s", problem.message, extra={"cause": problem.why})
        except LedgerFailed:
            log.warning("answers of the travel service are not kept: the ledger takes nothing now")
        except Exception:
            log.exception("answers of the travel service are not taken in")

    async def look(self) -> None:
        """Ask for what is missing of the ways in play, as far as service and purse allow; raises MatrixFailed."""
        times, host, client = self._times(), self._host, self._client
        host.metrics.matrix_paused.set(client.breaker.is_open)
        state = (host.seq, tuple(self._quoted), times.digest)
        if not client.spec.keep_s and state == self._complete:
            return  # nothing has happened since everything was known
        now = host.clock.now()
        origins, destinations = in_play(times, host.board, self._quoted)
        ways = len(origins) * len(destinations)
        origins, destinations = self._bounded(origins), self._bounded(destinations)
        self._seen.update(dict.fromkeys((*origins.tolist(), *destinations.tolist()), now))
        since = now - client.spec.keep_s if client.spec.keep_s else 0
        missing, unknown = await asyncio.to_thread(_missing, times.answers, origins, destinations, since)
        host.metrics.matrix_cells.set(len(times.answers.cells))
        host.metrics.matrix_straight.set(unknown + ways - len(origins) * len(destinations))
        self._complete = None if missing.any() else state
        for lot in client.lots(origins, destinations, missing):
            if client.breaker.is_open:
                return
            if not client.purse.take(len(lot.origins) * len(lot.destinations) * len(times.profiles)):
                host.metrics.matrix_requests.labels("saved").inc()
                return
            await self._asked(lot)

    async def _asked(self, lot: Lot) -> None:
        block = await self._client.ask(lot)
        known = self._times().answers
        answers = await asyncio.to_thread(known.with_block, block)
        await asyncio.to_thread(lambda: answers.digest)
        if self._times().answers is not known:
            return  # the journal was folded anew meanwhile: it is asked for again
        host, kept = self._host, self._host.travel.kept
        assert kept is not None
        if len(answers.cells) > self._client.spec.most_cells or kept.are_many:
            await host.take_answers(self._fewer(answers), None, block.at)
        else:
            await host.take_answers(answers, block, block.at)

    def _bounded(self, cells: Cells) -> Cells:
        """As many cells in play as may be remembered; a city that has more of them goes on by straight lines there."""
        most = self._client.spec.most_cells // 2
        if len(cells) > most and not self._has_warned:
            self._has_warned = True
            log.warning("more cells are in play than most_cells allows: some ways stay straight lines")
        return cells[:most]

    def _fewer(self, answers: Answers) -> Answers:
        """Without the cells that have been out of play the longest: three quarters of those that may be."""
        most = self._client.spec.most_cells * 3 // 4
        cells = sorted(answers.cells.tolist(), key=lambda cell: (-self._seen.get(cell, 0), cell))[:most]
        self._seen = {cell: self._seen[cell] for cell in cells if cell in self._seen}
        return answers.only(np.array(cells, dtype=np.uint64))

    def _times(self) -> AskedTravel:
        times = self._host.times
        assert isinstance(times, AskedTravel)
        return times


def in_play(times: AskedTravel, board: Board, quoted: Mapping[int, int | None]) -> tuple[Cells, Cells]:
    """Cells that somebody may set out from, and cells that they may go to, without doubles.

    `quoted`: cells of doors that were asked about, and the place of the store that would serve them.
    """
    riders = [
        whereabouts(record, board.now, divert=board.settings.rules.divert).place
        for record in board.riders.values()
        if takes_part(record, board)
    ]
    told = [stop.place for record in board.riders.values() for stop in record.route.told]
    doors = [record.order.drop_place for record in board.open_orders.values()]
    wanted = {record.order.store_id for record in board.open_orders.values()}
    busy = [record.store.place for name, record in board.stores.items() if name in wanted]
    busy += (place for place in quoted.values() if place is not None)
    stores = [record.store.place for record in board.stores.values()]
    asked_about = np.array(list(quoted), dtype=np.uint64)
    return (
        _distinct(times.cells(_handles([*riders, *told, *busy, *doors])), asked_about),
        _distinct(times.cells(_handles([*stores, *told, *doors])), asked_about),
    )


def _missing(answers: Answers, origins: Cells, destinations: Cells, since: int) -> tuple[NDArray[np.bool_], int]:
    """Ways to ask for, bool[n, m], and how many of all are not known at all."""
    return answers.missing(origins, destinations, since), int(answers.missing(origins, destinations).sum())


def _handles(places: list[int]) -> NDArray[np.int32]:
    return np.array(places, dtype=np.int32)


def _distinct(cells: Cells, more: Cells) -> Cells:
    return np.unique(np.concatenate([cells, more]))
