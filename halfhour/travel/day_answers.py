"""A day's travel times out of a travel service: asked for once, before the day is replayed, and kept in a file.

The replay itself asks nobody: with the same file it sees the same times, with the service or without.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from routing.errors import HalfhourError, InvalidInput

if TYPE_CHECKING:
    import httpx
    import numpy as np
    from numpy.typing import NDArray

    from api.matrix.client import Lot, MatrixClient
    from dispatch.record.travel_spec import HttpSpec
    from routing.answers import AnswerBlock, Answers
    from routing.asked_travel import AskedTravel
    from sim.scenario import Scenario

log = logging.getLogger(__name__)

TRIES, PAUSE_S, LONGEST_PAUSE_S = 4, 0.5, 60.0
SAVE_EVERY_S = 10.0


def ask_for(day: Scenario, *, transport: httpx.AsyncBaseTransport | None = None) -> int:
    """Ask for every way between the day's places that its files do not hold yet; how many were asked for.

    Raises MatrixFailed where the service fails again and again; what it has answered until then is in the file, and
    another call goes on from there.
    """
    from dispatch.record.travel_spec import HttpSpec

    asked = 0
    for spec in (day.catalogue.travel, day.reality.travel):
        if isinstance(spec, HttpSpec):
            asked += _Asking(day, spec, transport).run()
    return asked


class _Asking:
    def __init__(self, day: Scenario, spec: HttpSpec, transport: httpx.AsyncBaseTransport | None) -> None:
        if not spec.answers:
            raise InvalidInput(
                "a day that travels by a service needs a file for its answers",
                field="travel.answers",
                hint='Write answers = "answers.npz" under [travel].',
            )
        self.spec = spec
        self.transport = transport
        self.times: AskedTravel = spec.bind(day.catalogue.places)
        self.origins, self.destinations = cells_of_day(day, self.times)
        if len(self.origins) > spec.most_cells:
            raise InvalidInput(
                f"the day lies in {len(self.origins):,} cells, more than may be asked for",
                field="travel.most_cells",
                hint="Let most_cells be as many, or cells a smaller number: coarser ones.",
            )
        self.asked = 0
        self._saved_at = time.monotonic()

    def run(self) -> int:
        if not self.missing.any():
            return 0
        log.info("a travel service is asked for %d ways", int(self.missing.sum()) * len(self.times.profiles))
        problems: list[BaseException] = []

        def ask() -> None:
            try:
                asyncio.run(self._ask())
            except BaseException as problem:
                problems.append(problem)

        # In a thread of its own: who calls may have a loop that runs, as notebooks do.
        thread = threading.Thread(target=ask, name="travel-service")
        thread.start()
        thread.join()
        if problems:
            raise problems[0]
        return self.asked

    @property
    def missing(self) -> NDArray[np.bool_]:
        return self.times.answers.missing(self.origins, self.destinations)

    async def _ask(self) -> None:
        from api.matrix.client import MatrixClient

        def heard(end: str, ways: int) -> None:
            self.asked += ways

        client = MatrixClient(self.spec, clock=time.monotonic, wall=time.time, heard=heard, transport=self.transport)
        try:
            for lot in client.lots(self.origins, self.destinations, self.missing):
                await self._take(client, lot)
        finally:
            await client.close()
            self._save(self.times.answers)

    async def _take(self, client: MatrixClient, lot: Lot) -> None:
        while not client.purse.take(len(lot.origins) * len(lot.destinations) * len(self.times.profiles)):
            await asyncio.sleep(PAUSE_S)
        block = await _patiently(client, lot)
        self.times = self.times.under(self.times.answers.with_block(block))
        if time.monotonic() - self._saved_at > SAVE_EVERY_S:
            self._save(self.times.answers)

    def _save(self, answers: Answers) -> None:
        """Write beside the file first: who reads it meanwhile reads a whole one."""
        path = Path(self.spec.answers)
        beside = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            answers.save(str(beside))
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        self._saved_at = time.monotonic()


async def _patiently(client: MatrixClient, lot: Lot) -> AnswerBlock:
    """A lot, tried a few times where the service may come back; raises MatrixFailed."""
    from api.matrix.errors import MatrixFailed

    for tries in range(1, TRIES + 1):
        try:
            return await client.ask(lot)
        except MatrixFailed as problem:
            if tries == TRIES or problem.why not in ("slow", "gone", "limited"):
                problem.details["url"] = client.spec.url
                problem.hint = problem.hint or "What was answered is kept: the same command goes on from there."
                raise
            await asyncio.sleep(min(LONGEST_PAUSE_S, max(problem.retry_after_s, PAUSE_S * 2**tries)))
    raise HalfhourError("no try is left")


def cells_of_day(day: Scenario, times: AskedTravel) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Cells that riders set out from, and cells that they go to, without doubles."""
    import numpy as np

    catalogue = day.catalogue
    stops = [store.place for store in catalogue.stores] + [one.order.drop_place for one in day.demand]
    starts = [rider.place for rider in catalogue.riders]
    stops += [place for item in day.news for place in _places_of(item)]
    origins, destinations = (
        np.unique(times.cells(np.array(places, dtype=np.int32))) for places in ([*stops, *starts], stops)
    )
    return origins, destinations


def _places_of(news: object) -> list[int]:
    """The place that news of a day bring, as a new store's."""
    store = getattr(news, "store", None)
    return [store.place] if store is not None else []
