"""The service's clock: whole seconds that never go back, told by a clock that nobody sets.

It begins with the machine's clock and goes on by ticks that no step of it touches.  The two are kept together: what
they differ by is worked off slowly, and a step forward (a suspended machine that is awake again) is followed once it
has lasted.  A difference beyond `MOST_OFF_S` is left to people: it is logged, measured, and readiness says it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

STEP_S = 2.0
"""The machine's clock has been set where it moves by more than this against the ticks."""
LASTS_S = 10.0
"""A step forward is followed after this long: one that is taken back before never happened."""
MOST_OFF_S = 900.0
"""A difference up to this is worked off or followed; beyond it time goes on as if nothing had been set."""
PULL = 0.1
"""So much faster or slower the clock goes while it is brought back to the machine's: 90 s take a quarter of an hour."""
MOST_WAIT_S = 1.0
"""Nobody waits longer without a look at the clock."""


def ticks() -> float:
    """Seconds since the machine started, those in which it was suspended among them where the system counts them."""
    return time.clock_gettime(_TICKS)


_TICKS = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock:
    """Epoch seconds; `speed` other than 1 is for tests: a minute of it may pass in a second.

    With a speed or a `start_at` it has nothing to do with the machine's clock.
    """

    def __init__(
        self,
        speed: float = 1.0,
        start_at: float | None = None,
        *,
        machine: Callable[[], float] = time.time,
        tick: Callable[[], float] = ticks,
    ) -> None:
        self.speed = speed
        self.off_s = 0.0
        """What the machine's clock is ahead of this one (behind it: below zero)."""
        self.steps = 0
        """How often the machine's clock has been set."""
        self._machine, self._tick = machine, tick
        self._at = machine() if start_at is None else start_at
        self._ticked = tick()
        self._stepped = self._ticked
        self._is_wall = speed == 1.0 and start_at is None
        self._agreed_s = 0.0
        self._last = 0

    def exact(self) -> float:
        """Seconds with their fraction."""
        ticked = self._tick()
        passed_s, self._ticked = max(0.0, ticked - self._ticked), ticked
        self._at += passed_s * self.speed
        if self._is_wall:
            self._keep_with_the_machine(passed_s)
        return self._at

    def _keep_with_the_machine(self, passed_s: float) -> None:
        off_s = self._machine() - self._at
        if abs(off_s - self.off_s) > STEP_S:
            self.steps += 1
            self._stepped = self._ticked
            log.warning(
                "the machine's clock was set: %+.0f s", off_s - self.off_s, extra={"seconds": round(off_s - self.off_s)}
            )
        if abs(off_s) <= MOST_OFF_S:
            lasts = self._ticked - self._stepped >= LASTS_S
            most_s = off_s if off_s > STEP_S and lasts else PULL * passed_s
            pull_s = max(-most_s, min(most_s, off_s))
            self._at += pull_s
            off_s -= pull_s
            if pull_s > STEP_S:
                log.warning("the step forward has lasted: it is followed", extra={"seconds": round(pull_s)})
        self.off_s = off_s
        self._agreed_s = min(self._agreed_s, abs(off_s))

    @property
    def doubt_s(self) -> float:
        """How far this clock and the machine's have come apart since it began: one of them is wrong."""
        return max(0.0, abs(self.off_s) - self._agreed_s)

    def now(self) -> int:
        """Whole seconds."""
        self._last = max(self._last, int(self.exact()))
        return self._last

    def not_before(self, at: int) -> None:
        """The clock never says less than `at`: what the journal has seen has happened."""
        ahead_s = at - self.exact()
        if ahead_s > 0:
            self._at = float(at)
            self.off_s -= ahead_s
            self._agreed_s = max(self._agreed_s, abs(self.off_s))
        self._last = max(self._last, at)

    def wait_s(self, until: float) -> float:
        """Real seconds from now to an instant of this clock, or to the next look at it."""
        return min(MOST_WAIT_S, max(0.0, (until - self.exact()) / self.speed))
