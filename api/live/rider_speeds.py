"""Speeds out of riders' positions while a service runs: what `service.live_speeds` turns on.

Once a minute what riders under way have said is matched to streets.  What comes of it holds as any traffic does: the
engine hears of it by TravelChanged, and the ledger keeps it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from api.solver.travel_state import on_streets
from dispatch.inputs import Position
from routing.errors import HalfhourError

if TYPE_CHECKING:
    from api.live.host import LiveHost
    from routing.roads import LiveSpeeds
    from routing.roads.traces.live import LiveWatch

log = logging.getLogger(__name__)

EVERY_S = 60.0
"""Quotes know of a rider's position after this and what matching takes."""


class RiderSpeeds:
    """Hears the positions of one market and hands on what they say of speeds."""

    def __init__(self, host: LiveHost) -> None:
        """Raises NotOnStreets."""
        self._host = host
        self._drives = on_streets(host.times).drives
        self._watch: LiveWatch | None = None
        self._waiting: list[tuple[Position, str | None]] = []
        host.positions.listener = self.saw

    def saw(self, position: Position) -> None:
        """A position was believed; the rider's profile is kept with it while they are under way to a stop."""
        record = self._host.board.riders.get(position.rider_id)
        if record is not None:
            under_way = bool(record.route.told) and record.arrived_at is None
            self._waiting.append((position, record.rider.profile if under_way else None))

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(EVERY_S / self._host.clock.speed)
            try:
                if self._host.takes_inputs:
                    await self.renew()
            except HalfhourError as problem:
                log.warning("speeds of riders are not taken in: %s", problem)

    async def renew(self) -> None:
        """Take in what was heard since the last time, and let what it says hold."""
        host, heard = self._host, self._waiting
        self._waiting = []
        live = await asyncio.to_thread(self._speeds, heard, host.clock.now())
        await host.change_travel(live=live)
        host.metrics.live_speeds(live, len(heard))

    def _speeds(self, heard: list[tuple[Position, str | None]], now: int) -> tuple[LiveSpeeds, ...]:
        from routing.roads.traces.live import LiveWatch

        self._watch = watch = self._watch or LiveWatch(self._drives)
        for position, profile in heard:
            if profile is None:
                watch.stop(position.rider_id)
            else:
                watch.see(position.rider_id, profile, position.first, position.second, position.seen_at)
        return watch.speeds(self._host.travel.without_riders().network, now)
