"""Where nobody can say when an order comes, its tenant hears so, once, and no instant is made up."""

from __future__ import annotations

from dispatch import events as e
from dispatch import inputs as i
from dispatch.engine.decisions.risk import expected_dropoff_at
from dispatch.model import OrderState
from tests.kit.world import T0, World


def carried(**settings: object) -> World:
    """Ann carries o1 and o2 from 120 on; her phone says nothing any more."""
    world = World(rules__stale_s=120, **settings)
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0)
    world.order("o1", "kitchen", 3000, 0)
    world.order("o2", "kitchen", 3100, 0)
    world.until(60)
    world.arrive("ann")
    world.until(120)
    world.complete("ann")
    assert world.state("o1").is_on_board and world.state("o2").is_on_board
    return world


def said(world: World) -> list[tuple[int, str, str]]:
    return [
        (event.at - T0, event.order_id, event.why)
        for _, events in world.journal
        for event in events
        if isinstance(event, e.OrderAtRisk)
    ]


def test_goods_of_a_silent_rider_are_at_risk_once_for_each_silence() -> None:
    world = carried()
    order = world.board.orders["o1"]
    assert expected_dropoff_at(order, world.board, world.now) == order.expected_dropoff_at
    world.until(600)
    assert said(world) == [(241, "o1", "rider_silent"), (241, "o2", "rider_silent")], "two minutes after their word"
    assert expected_dropoff_at(order, world.board, world.now) is None
    world.say(i.PositionsSeen(at=world.now, positions=(i.Position("ann", 0, 2000, world.now),)))
    assert expected_dropoff_at(order, world.board, world.now) is not None
    world.until(900)
    assert [at for at, _, _ in said(world)] == [241, 241, 721, 721]
    world.check()


def test_a_lost_rider_leaves_no_instant_either() -> None:
    world = carried(rules__lost_after_s=300)
    world.until(600)
    assert world.board.riders["ann"].lost
    assert expected_dropoff_at(world.board.orders["o1"], world.board, world.now) is None
    assert len(said(world)) == 2
    world.check()


def test_orders_of_a_closed_store_are_at_risk() -> None:
    world = World()
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0)
    world.order("o1", "kitchen", 900, 0, ready_s=900)
    world.until(60)
    order = world.board.orders["o1"]
    assert expected_dropoff_at(order, world.board, world.now) is not None
    world.say(i.StoreClosed(at=world.now, store_id="kitchen"))
    assert said(world) == [(60, "o1", "store_closed")]
    assert expected_dropoff_at(order, world.board, world.now) is None
    world.say(i.StoreOpened(at=world.now, store_id="kitchen"))
    world.deliver_all()
    assert world.state("o1") is OrderState.DELIVERED
    world.check()
