"""A rider's phone: what the service learns of them, how late, and what it never learns."""

from __future__ import annotations

import dataclasses

import numpy as np

from dispatch.inputs import Input, Position
from sim.heap import EventHeap
from sim.scenario import Reality
from sim.world.luck import Luck


class Phone:
    """Sends reports in the order in which they were made, each as late as the network likes; loses only positions."""

    def __init__(self, rider_id: str, reality: Reality, luck: Luck, heap: EventHeap) -> None:
        self._rider_id = rider_id
        self._reality = reality
        self._luck = luck
        self._heap = heap
        self._sent = 0
        self._last_at = 0

    def report(self, item: Input) -> None:
        """Send a report made at `item.at`; it arrives later where reports are delayed, its `happened_at` stays."""
        at = item.at
        if self._reality.report_delay_s:
            at += round(self._reality.report_delay_s * self._draw("delay").standard_exponential())
            at = self._last_at = max(at, self._last_at)
            item = dataclasses.replace(item, at=at)
        self._heap.say(item)

    def position(self, at: int, first: float, second: float) -> Position | None:
        """A position as the service gets it, None where it is lost."""
        if self._reality.position_loss and self._draw("position").random() < self._reality.position_loss:
            return None
        return Position(self._rider_id, first, second, at)

    def _draw(self, purpose: str) -> np.random.Generator:
        self._sent += 1
        return self._luck.stream(f"{self._rider_id}\x00{self._sent}", purpose)
