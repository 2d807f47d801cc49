"""What time brings to a live engine: wake-ups, positions that wait, and pauses in which nobody was heard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from api.common.clock import MOST_OFF_S, Clock
from api.live.positions import Positions
from api.observe.metrics import Metrics
from api.observe.watchdog import out_of_memory
from api.solver.parking import wake
from dispatch.engine.engine import Engine
from dispatch.events import Event
from dispatch.inputs import Input, PositionsSeen, ServiceResumed
from routing.errors import HalfhourError

log = logging.getLogger(__name__)

POSITIONS_EVERY_S = 5
"""Positions that wait enter at least this often, and with every wake-up: a rider unheard of would count as lost."""
PAUSE_S = 5
"""A service that has not looked at its clock for so long was paused: what was sent meanwhile is still unread."""


class JournalAhead(HalfhourError):
    """The journal's last entry lies in the future of the machine's clock."""

    code = "journal_ahead"


class AlarmHost(Protocol):
    """What an alarm rings for; `api.live.host.LiveHost`."""

    clock: Clock
    positions: Positions
    metrics: Metrics

    @property
    def engine(self) -> Engine: ...

    @property
    def takes_inputs(self) -> bool: ...

    def report(self, make: Callable[[int], Input]) -> tuple[Event, ...]: ...


class Alarm:
    """The one timer of a host."""

    def __init__(self, host: AlarmHost, *, trusts_journal: bool = False) -> None:
        """`trusts_journal`: go on from its last instant, however far the machine's clock is behind it."""
        self._host = host
        self._trusts_journal = trusts_journal
        self._timer: asyncio.TimerHandle | None = None
        self._looked_at = self._positions_at = 0

    def go_on_from(self, at: int) -> None:
        """Time is told from the journal's last instant on; raises JournalAhead."""
        clock = self._host.clock
        ahead_s = at - clock.now()
        if ahead_s > MOST_OFF_S and not self._trusts_journal:
            raise JournalAhead(
                f"the journal's last entry lies {ahead_s:,} s ahead of this machine's clock",
                hint="Set the machine's clock right. If it is right now and was ahead before, `halfhour serve "
                "--trust-journal` goes on from that entry; its times stay ahead of the world's.",
            )
        clock.not_before(at)
        self._looked_at = at

    def catch_up(self) -> None:
        """What comes before any other input: that there was a pause, and positions that have waited."""
        self.look_back()
        if len(self._host.positions) and self._host.clock.now() - self._positions_at >= POSITIONS_EVERY_S:
            self._take_positions()

    def look_back(self) -> None:
        """After a pause: what was sent in it is read before anybody is judged by it."""
        now = self._host.clock.now()
        since, self._looked_at = self._looked_at, now
        if since and now - since > PAUSE_S * self._host.clock.speed:
            log.warning("nobody was heard for a while: the service was paused", extra={"seconds": now - since})
            self._host.metrics.pauses.inc()
            self._host.report(lambda at: ServiceResumed(at=at, since_at=since))

    def _take_positions(self) -> None:
        self._positions_at = self._host.clock.now()
        seen = self._host.positions.take()
        if not seen:
            return
        try:
            self._host.report(lambda at: PositionsSeen(at=at, positions=seen))
        except Exception:
            if not self._host.takes_inputs:
                raise
            log.exception("positions are lost: the engine takes none of them")

    def arm(self, not_before: int = 0) -> None:
        """Sets the timer to the instant the engine asks for, or to the next look at the clock."""
        self.disarm()
        clock = self._host.clock
        wake_at = self._host.engine.wake_at()
        if wake_at is None:
            wake_at = clock.now() + POSITIONS_EVERY_S
        wait_s = clock.wait_s(max(wake_at, not_before))
        self._timer = asyncio.get_running_loop().call_later(wait_s, self.ring)

    def disarm(self) -> None:
        """Nothing rings until it is armed again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def ring(self) -> None:
        """Wakes the engine where it asked for it; goes on waiting otherwise."""
        self._timer = None
        if not self._host.takes_inputs:
            return
        try:
            self.catch_up()
            now = self._host.clock.now()
            if self._is_due(now) and len(self._host.positions):
                self._take_positions()
            if not self._is_due(now):
                self.arm()
                return
            events = wake(self._host, now)
            # A wake-up that changes nothing must not be asked for again within the same second.
            self.arm(not_before=0 if events else now + 1)
        except MemoryError:
            out_of_memory()
        except Exception:
            log.exception("a wake-up failed; the next one is in a second")
            self._timer = asyncio.get_running_loop().call_later(1.0, self.ring)

    def _is_due(self, now: int) -> bool:
        wake_at = self._host.engine.wake_at()
        return wake_at is not None and wake_at <= now
