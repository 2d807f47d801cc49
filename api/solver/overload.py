"""The overload ladder: search -> insertion -> the most urgent orders only, and back up when pressure has gone.

Pressure is how much of its deadline a round took; a round that could not even look at every order is hard whatever it
took.  Two hard rounds step down, ten easy ones step up.  What the last step does is journalled: a restart finds it.
"""

from __future__ import annotations

from enum import IntEnum

HARD, EASY = 0.8, 0.3
HARD_ROUNDS, EASY_ROUNDS = 2, 10
URGENT_ORDERS = 150
"""Orders that a round adds to the plan on the last step, those due first; the rest are kept with reason BUDGET."""


class Step(IntEnum):
    """How hard a round is thought about."""

    SEARCH = 0
    INSERTION = 1
    URGENT = 2


class Ladder:
    """The step in force, from `step` on; `note` says what a round took and answers the new step where it changes."""

    def __init__(self, step: Step = Step.SEARCH) -> None:
        self.step = step
        self._hard = 0
        self._easy = 0

    @property
    def most_new_orders(self) -> int | None:
        """What the engine is told of the step."""
        return URGENT_ORDERS if self.step is Step.URGENT else None

    def note(self, share: float, *, left_some: bool = False) -> Step | None:
        """`share`: time taken over time allowed (above 1: too late); `left_some`: a round had no room for some."""
        self._hard = self._hard + 1 if share >= HARD or left_some else 0
        self._easy = self._easy + 1 if share <= EASY and not left_some else 0
        if self._hard >= HARD_ROUNDS and self.step < Step.URGENT:
            return self._go(Step(self.step + 1))
        if self._easy >= EASY_ROUNDS and self.step > Step.SEARCH:
            return self._go(Step(self.step - 1))
        return None

    def _go(self, step: Step) -> Step:
        self.step, self._hard, self._easy = step, 0, 0
        return step
