"""Policies: how rounds are answered.  Ours is `halfhour`; a researcher's own is one class in one file.

A Policy changes settings (`configure`) and answers rounds.  The simple way is to write `decide(view)`, which reads
orders, riders and seconds by name and gives orders to riders; `self.answer` does the rest.
"""

from __future__ import annotations

from typing import Any, Protocol

from dispatch.inputs import RoundSolved
from dispatch.policies.view import Plan, View
from dispatch.rounds.frozen_round import Frozen
from dispatch.rounds.legs import travel_block
from dispatch.rounds.solve import solve_round
from dispatch.settings.settings import Settings
from routing.errors import InvalidInput
from routing.travel import TravelTimes


class Policy(Protocol):
    """Answers rounds; must be a pure function of what it is given."""

    name: str

    def configure(self, settings: Settings) -> Settings:
        """The settings this policy runs under."""

    def answer(self, frozen: Frozen, times: TravelTimes) -> RoundSolved:
        """The plan of one round."""


class HalfhourPolicy:
    """Insertion, search and exact assignment in every round; commitments at the last responsible moment."""

    name = "halfhour"

    def __init__(self, recipe: str | None = None) -> None:
        self.recipe = recipe

    def configure(self, settings: Settings) -> Settings:
        return settings if self.recipe is None else settings.with_values({"search.recipe": self.recipe})

    def answer(self, frozen: Frozen, times: TravelTimes) -> RoundSolved:
        return solve_round(frozen, times)


class SimplePolicy:
    """Base of policies that read a View: override `decide`, and `settings` where the rules should differ.

    What `decide` gives stays given: riders are told at once, and nothing told is planned again.
    """

    name = "simple"
    settings: dict[str, Any] = {}  # noqa: RUF012 - a class constant for subclasses to replace

    def configure(self, settings: Settings) -> Settings:
        own = {"rules.commit": "at_once", "rules.empty_moves": False, "rules.max_trips": 99, **self.settings}
        return settings.with_values(own)

    def decide(self, view: View) -> Plan:
        """Give open orders to riders: `plan = view.new_plan(); plan.give(rider, [order]); return plan`."""
        raise NotImplementedError

    def answer(self, frozen: Frozen, times: TravelTimes) -> RoundSolved:
        view = View(frozen, travel_block(frozen, times))
        plan = self.decide(view)
        if not isinstance(plan, Plan):
            raise InvalidInput(
                f"decide(view) of policy {self.name} gave back {plan!r}", code="invalid_policy",
                hint="Begin with plan = view.new_plan() and end with return plan.",
            )  # fmt: skip
        return plan.answer()
