"""Offers to crowd riders: asked, taken, declined, late."""

from __future__ import annotations

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.errors import Refused
from dispatch.model import OrderState, Reason
from tests.dispatch.engine.test_engine import small
from tests.kit.world import World


def crowd() -> World:
    """Two crowd riders; o1 falls due at 480 for ann, who is nearer."""
    world = World()
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0, crowd=True)
    world.rider("bob", -300, 0, crowd=True)
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    return world


def test_a_crowd_rider_is_asked_and_may_accept() -> None:
    world = crowd()
    world.until(480)
    (offer,) = world.board.offers.values()
    assert offer.order_ids == ("o1",)
    world.say(i.OfferAccepted(at=world.now, offer_id=offer.offer_id, rider_id=offer.rider_id))
    assert world.state("o1") is OrderState.ENROUTE_TO_PICKUP
    world.deliver_all()
    assert world.state("o1") is OrderState.DELIVERED
    world.check()


def test_who_accepts_is_expected_from_then_on() -> None:
    world = crowd()
    world.until(480)
    (offer,) = world.board.offers.values()
    at = world.now + 10
    told = world.engine.handle(i.OfferAccepted(at=at, offer_id=offer.offer_id, rider_id=offer.rider_id))
    (first, *_) = next(event.route.stops for event in told if isinstance(event, e.RouteRevised))
    assert first.leg_s > 0 and first.expected_arrive_at == at + first.leg_s


def test_a_decline_goes_to_the_next_and_never_twice_to_the_same() -> None:
    world = crowd()
    world.until(480)
    (offer,) = world.board.offers.values()
    asked = [offer.rider_id]
    world.say(i.OfferDeclined(at=world.now, offer_id=offer.offer_id, rider_id=offer.rider_id))
    assert world.board.offers == {}
    world.until(540)
    (offer,) = world.board.offers.values()
    asked.append(offer.rider_id)
    # Silence is a decline, too.
    world.until(600)
    assert world.board.offers == {}
    assert sorted(asked) == ["ann", "bob"]
    world.until(900)
    assert world.board.offers == {}
    assert world.board.orders["o1"].reason is Reason.REFUSED_BY_ALL
    world.check()


def test_an_answer_after_expiry_is_refused() -> None:
    world = crowd()
    world.until(480)
    (offer,) = world.board.offers.values()
    with pytest.raises(Refused) as refused:
        world.engine.handle(i.OfferAccepted(at=offer.expires_at, offer_id=offer.offer_id, rider_id=offer.rider_id))
    assert refused.value.code == "offer_closed"
    with pytest.raises(Refused):
        other = "bob" if offer.rider_id == "ann" else "ann"
        world.engine.handle(i.OfferAccepted(at=world.now, offer_id=offer.offer_id, rider_id=other))


def test_an_answer_made_from_an_old_revision_is_refused_whole() -> None:
    world = small()
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.answers_rounds = False
    world.until(0)
    answer = world.policy.answer(world.engine.freeze(), world.times)
    world.say(i.OrderCancelled(at=world.now, order_id="o1"))
    events = world.say(answer)
    (closed,) = [x for x in events if isinstance(x, e.RoundClosed)]
    assert closed.refused == ("ann",)
    assert world.route("ann").stops == ()
    assert world.board.dirty_at is not None
    world.check()
