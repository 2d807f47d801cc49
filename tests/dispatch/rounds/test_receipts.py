"""Receipts: what the engine says of its choices is what it computed."""

from __future__ import annotations

import pytest

from api.http.routes.operations import explanation_of
from dispatch import events as e
from halfhour.policies import choose
from tests.kit.world import World


def told(scope: str, policy: str = "halfhour") -> tuple[World, e.DecisionMade]:
    """A city whose one order has been told to ann, with bob in reach."""
    world = World(rules__mix=scope)
    world.policy = choose(policy).policy
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0)
    world.rider("bob", -300, 0)
    world.order("o1", "kitchen", 600, 0, ready_s=240)
    world.until(180)
    world.arrive("ann")
    world.until(240)
    (made,) = [event for _, events in world.journal for event in events if isinstance(event, e.DecisionMade)]
    return world, made


@pytest.mark.parametrize("scope", ["same_store", "any"])
def test_a_receipt_names_the_next_best_rider(scope: str) -> None:
    world, made = told(scope)
    assert made.added_cost is not None and [rider_id for rider_id, _ in made.others] == ["bob"]
    assert "the next best rider would have cost" in explanation_of(world.board, world.board.orders["o1"])


def test_what_was_not_computed_is_not_said_to_be_nothing() -> None:
    """A policy that prices no other rider: "nobody else was in reach" would be a false statement."""
    world, made = told("same_store", policy="nearest")
    assert made.added_cost is None and made.others == ()
    assert "was not computed" in explanation_of(world.board, world.board.orders["o1"])


def test_the_receipt_of_another_rider_is_not_shown_for_this_one() -> None:
    world, _ = told("same_store")
    record = world.board.orders["o1"]
    assert record.choice is not None
    record.choice = record.choice._replace(rider_id="bob")
    assert "was not computed" in explanation_of(world.board, record)
