"""Riders kept apart from a store or a customer: no plan, offer, wish of operations or handover brings them together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.errors import Refused
from dispatch.model import Order, OrderState, Reason
from dispatch.people.apart import KeptApart, Party, parted, with_pair, without_pair
from dispatch.record.story import tell
from dispatch.rounds.solve import solve_round
from dispatch.rounds.trial import frozen_with, outcome
from sim.replay.answer_audit import audit_answer
from tests.kit.world import T0, World, catalogue_of, folded

S = OrderState


def city(**settings: object) -> World:
    """A kitchen, rider near beside it and rider far a kilometre away."""
    world = World(**settings)
    world.store("kitchen", 300, 0)
    world.store("bakery", 0, 300)
    world.rider("near", 0, 0)
    world.rider("far", 1300, 0)
    return world


def keeps_apart(world: World, party: Party, name: str, *, apart: bool = True) -> tuple[e.Event, ...]:
    said = i.ApartSet(
        at=world.now, rider_id="near", party=party, name=name, apart=apart, reason="asked for it", by="key-1"
    )
    return world.say(said)


@pytest.mark.parametrize(("party", "name"), [(Party.STORE, "kitchen"), (Party.CUSTOMER, "c1"), (Party.DOOR, "d1")])
def test_the_other_rider_goes_though_it_is_farther(party: Party, name: str) -> None:
    world = city()
    keeps_apart(world, party, name)
    world.order("o1", "kitchen", 900, 0, customer="c1", door="d1")
    world.deliver_all()
    order = world.board.orders["o1"]
    assert (order.state, order.carried_by) == (S.DELIVERED, "far")
    world.check()


def test_without_the_pair_the_near_one_goes() -> None:
    world = city()
    world.order("o1", "kitchen", 900, 0, customer="c1", door="d1")
    keeps_apart(world, Party.CUSTOMER, "c2")
    keeps_apart(world, Party.STORE, "bakery")
    world.deliver_all()
    assert world.board.orders["o1"].carried_by == "near"


def test_what_they_had_not_fetched_goes_to_others_and_what_they_carry_stays() -> None:
    world = city()
    world.order("o1", "kitchen", 900, 0)
    world.until(60)
    assert world.board.orders["o1"].planned_rider_id == "near"
    keeps_apart(world, Party.STORE, "kitchen")
    assert world.board.orders["o1"].planned_rider_id is None
    world.check()
    world.deliver_all()
    assert world.board.orders["o1"].carried_by == "far"
    other = city()
    other.order("o1", "kitchen", 900, 0)
    while not other.state("o1").is_on_board:
        other.deliver_all(other.now - T0 + 20)
    keeps_apart(other, Party.STORE, "kitchen")
    other.deliver_all()
    assert (other.state("o1"), other.board.orders["o1"].carried_by) == (S.DELIVERED, "near")


def test_an_offer_that_would_bring_them_together_is_withdrawn() -> None:
    world = World()
    world.store("kitchen", 300, 0)
    world.rider("near", 0, 0, crowd=True)
    world.order("o1", "kitchen", 900, 0)
    world.until(10)
    (offer,) = world.board.offers.values()
    events = keeps_apart(world, Party.STORE, "kitchen")
    assert [x.outcome for x in events if isinstance(x, e.OfferClosed)] == ["withdrawn"]
    world.until(600)
    assert not world.board.offers and world.board.offers_made == 1 and offer.rider_id == "near"
    assert world.board.orders["o1"].reason is Reason.APART
    world.check()


def test_operations_cannot_force_it_and_a_wish_of_before_is_taken_back() -> None:
    world = city()
    world.order("o1", "kitchen", 900, 0)
    world.say(i.OrderForced(at=world.now, order_id="o1", rider_id="near", reason="x"))
    events = keeps_apart(world, Party.STORE, "kitchen")
    assert [x.rider_id for x in events if isinstance(x, e.RiderForced)] == [None]
    with pytest.raises(Refused) as refused:
        world.say(i.OrderForced(at=world.now, order_id="o1", rider_id="near", reason="x"))
    assert refused.value.code == "not_allowed"


def test_ended_pairs_meet_again_and_what_is_not_in_force_is_refused() -> None:
    world = city()
    with pytest.raises(Refused) as refused:
        keeps_apart(world, Party.STORE, "kitchen", apart=False)
    assert refused.value.code == "invalid_transition"
    keeps_apart(world, Party.STORE, "kitchen")
    keeps_apart(world, Party.STORE, "kitchen", apart=False)
    world.order("o1", "kitchen", 900, 0)
    world.deliver_all()
    assert world.board.orders["o1"].carried_by == "near"
    for rider_id, name, code in (("nobody", "kitchen", "unknown_rider"), ("near", "nowhere", "unknown_store")):
        with pytest.raises(Refused) as refused:
            world.say(i.ApartSet(at=world.now, rider_id=rider_id, party=Party.STORE, name=name, apart=True, reason="x"))
        assert refused.value.code == code


def test_an_order_that_comes_to_be_theirs_leaves_their_route() -> None:
    world = city()
    keeps_apart(world, Party.CUSTOMER, "c1")
    world.order("o1", "kitchen", 900, 0)
    world.until(60)
    record = world.board.orders["o1"]
    assert record.planned_rider_id == "near"
    world.say(i.OrderChanged(at=world.now, order=replace(record.order, customer="c1")))
    assert record.planned_rider_id != "near"
    world.deliver_all()
    assert record.carried_by == "far"


def test_goods_that_lie_somewhere_are_not_fetched_by_them() -> None:
    world = city()
    keeps_apart(world, Party.CUSTOMER, "c1")
    world.order("o1", "kitchen", 900, 0, customer="c1")
    while not world.state("o1").is_on_board:
        world.deliver_all(world.now - T0 + 20)
    place = world.places.add(0.0, 10.0)
    world.say(i.ShiftEnded(at=world.now, rider_id="far"))
    world.say(i.HandoverOrdered(at=world.now, order_id="o1", place=place, reason="flat tyre"))
    world.until(world.now - T0 + 900)
    assert world.board.orders["o1"].planned_rider_id is None, "nobody but near is there, who must not have it"
    world.rider("third", 1300, 0)
    world.deliver_all(20_000)
    assert world.board.orders["o1"].carried_by == "third"


def test_a_quote_looks_at_others_alone() -> None:
    world = city()
    world.say(i.ShiftEnded(at=world.now, rider_id="far"))
    world.order("o1", "bakery", 0, 900)
    order = world.board.orders["o1"].order
    asked = replace(order, order_id="q", store_id="kitchen")
    found = outcome(solve_round(frozen_with(world.board, asked, world.times, world.now, (60, 60)), world.times), "q")
    assert found.dropoff_at is not None
    keeps_apart(world, Party.STORE, "kitchen")
    found = outcome(solve_round(frozen_with(world.board, asked, world.times, world.now, (60, 60)), world.times), "q")
    assert (found.dropoff_at, found.reason) == (None, Reason.APART)


def test_a_plan_that_brings_them_together_is_refused_by_the_auditor_and_by_the_engine() -> None:
    world = city()
    world.answers_rounds = False
    world.order("o1", "kitchen", 900, 0)
    world.until(60)
    assert world.board.open_round is not None
    free = world.engine.freeze()
    answer = world.policy.answer(free, world.times)
    assert [change.rider_id for change in answer.changes] == ["near"] and not audit_answer(free, answer, world.times)
    keeps_apart(world, Party.STORE, "kitchen")
    told = audit_answer(world.engine.freeze(), answer, world.times)
    assert any("not_allowed" in sentence and "rider near" in sentence for sentence in told), told
    (closed,) = (event for event in world.say(replace(answer, at=world.now)) if isinstance(event, e.RoundClosed))
    assert closed.refused == ("near",)


def test_story_and_figures_say_it() -> None:
    world = city()
    world.order("o1", "kitchen", 900, 0)
    keeps_apart(world, Party.STORE, "kitchen")
    world.deliver_all()
    texts = [line.text for line in tell(world.journal, "o1").lines]
    assert "near is kept apart from its store: asked for it." in texts
    summary = folded(world, catalogue_of(world)).summary()
    assert (summary["apart_set"], summary["apart_met"]) == (1, 0)
    assert "apart_set" not in folded(city(), catalogue_of(city())).summary()


def test_pairs_are_told_apart_by_party_and_name() -> None:
    store, door = KeptApart(Party.STORE, "x", 1, "a"), KeptApart(Party.DOOR, "x", 2, "b")
    pairs = with_pair(with_pair((), store), door)
    assert pairs == (store, door)
    again = KeptApart(Party.STORE, "x", 3, "c")
    assert with_pair(pairs, again) == (door, again)
    assert without_pair(pairs, Party.DOOR, "x") == (store,)
    order = Order("o", "y", 0, placed_at=0, expected_ready_at=0, due_at=0)
    assert parted(pairs, order) is None, "an order of another store that names no door"
    assert parted(pairs, replace(order, door="x")) == door
