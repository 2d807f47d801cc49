"""A crowd rider who has accepted is asked again before a second order joins their route."""

from __future__ import annotations

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.model import Level, OrderState
from tests.kit.world import T0, World


def joined(offer_s: int = 90) -> World:
    """Ann has accepted o1, goods ready at 600; o2 of the same kitchen is planned for her as well."""
    world = World(rules__offer_s=offer_s)
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0, crowd=True)
    world.order("o1", "kitchen", 900, 0, ready_s=600)
    world.until(480)
    answer(world, i.OfferAccepted)
    assert told(world) == {"o1"}
    world.order("o2", "kitchen", 700, 0, ready_s=100)
    world.until(540)
    return world


def answer(world: World, kind: type[i.OfferAccepted] | type[i.OfferDeclined]) -> None:
    (offer,) = world.board.offers.values()
    world.say(kind(at=world.now, offer_id=offer.offer_id, rider_id=offer.rider_id))


def told(world: World) -> set[str]:
    """Orders on her phone."""
    return {act.order_id for stop in world.route("ann").told for act in stop.acts if act.level >= Level.TOLD}


def test_she_is_asked_for_the_second_order_alone() -> None:
    world = joined()
    (offer,) = world.board.offers.values()
    assert offer.order_ids == ("o2",) and told(world) == {"o1"}
    assert world.state("o2") is OrderState.CREATED
    world.check()
    world.arrive("ann")
    answer(world, i.OfferAccepted)
    assert told(world) == {"o1", "o2"} and world.board.orders["o2"].rider_id == "ann"
    world.check()
    world.deliver_all()
    assert {world.state(order_id) for order_id in ("o1", "o2")} == {OrderState.DELIVERED}
    world.check()


@pytest.mark.parametrize("expires", [False, True])
def test_a_no_leaves_her_the_first(expires: bool) -> None:
    world = joined()
    if expires:
        world.until(640)
    else:
        answer(world, i.OfferDeclined)
    assert world.board.offers == {} and "o2" not in told(world)
    assert world.board.orders["o2"].refused_by == ("ann",)
    world.check()
    world.deliver_all(3000)
    assert world.state("o1") is OrderState.DELIVERED and world.state("o2") is OrderState.CREATED
    world.check()


@pytest.mark.parametrize("takes", [(), ("o1", "o2")])
def test_who_leaves_the_store_has_answered(takes: tuple[str, ...]) -> None:
    world = joined(offer_s=900)
    world.arrive("ann")
    world.until(600)
    world.complete("ann", takes or None)
    assert world.board.offers == {}, "the offer is over"
    closed = [x for _, events in world.journal for x in events if isinstance(x, e.OfferClosed)]
    assert [one.outcome for one in closed] == ["accepted", "withdrawn"]
    assert world.state("o2").is_on_board == bool(takes)
    world.check()
    world.deliver_all(6000)
    assert world.state("o1") is OrderState.DELIVERED


def test_a_pickup_that_was_never_accepted_comes_after_where_she_is_going() -> None:
    world = World(rules__mix="any", rules__add_orders_until="pickup", rules__offer_s=600)
    world.store("kitchen", 300, 0)
    world.store("bakery", 500, 0)
    world.rider("ann", 0, 0, crowd=True)
    world.order("o1", "kitchen", 1500, 0)
    world.until(60)
    answer(world, i.OfferAccepted)
    world.until(120)
    world.arrive("ann")
    world.until(240)
    world.complete("ann")
    world.order("o2", "bakery", 1400, 0)
    for second in range(250, 900, 10):
        world.until(second)
        stops = world.route("ann").stops
        assert not stops or stops[0].level >= Level.TOLD or all(stop.level < Level.TOLD for stop in stops), T0
        assert "o2" not in told(world)
        world.check()
