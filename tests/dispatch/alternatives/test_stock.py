"""Articles of stores: held on choice, freed, taken, put back; never less than nothing, in whatever order."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.errors import Refused
from dispatch.model import OrderState
from dispatch.ways import Source
from tests.kit.world import T0, World


def count(world: World, store_id: str, **counts: int) -> None:
    world.say(i.StockCounted(at=world.now, store_id=store_id, counts=tuple(counts.items())))


def city(near: int = 1, far: int = 1) -> World:
    world = World()
    world.store("near", 0, 0)
    world.store("far", 1500, 0)
    world.rider("alice", 0, 0)
    world.rider("bob", 100, 0)
    count(world, "near", milk=near)
    count(world, "far", milk=far)
    return world


def ask(world: World, order_id: str, *stores: str, milk: int = 1) -> None:
    sources = tuple(Source(store_id, 300) for store_id in stores)
    world.order(order_id, stores[0], 300, 0, sources=sources, skus=(("milk", milk),))


def left(world: World, store_id: str) -> tuple[int, int]:
    record = world.board.stores[store_id]
    return record.stock["milk"], record.reserved.get("milk", 0)


def test_the_last_of_an_article_goes_to_one_order():
    world = city()
    ask(world, "a", "near", "far")
    ask(world, "b", "near", "far")
    assert (left(world, "near"), left(world, "far")) == ((1, 1), (1, 1))
    with pytest.raises(Refused) as refused:
        ask(world, "c", "near", "far")
    assert refused.value.code == "no_alternative"
    assert refused.value.details["sources"]["near"] == "it has 0 of milk left, 1 are needed"
    world.deliver_all()
    assert (left(world, "near"), left(world, "far")) == ((0, 0), (0, 0))
    assert world.state("a") is world.state("b") is OrderState.DELIVERED
    world.check()


def test_what_is_called_off_is_there_for_others():
    world = city()
    ask(world, "a", "near")
    world.say(i.OrderCancelled(at=world.now, order_id="a"))
    assert left(world, "near") == (1, 0)
    ask(world, "b", "near")
    assert left(world, "near") == (1, 1)


def test_a_store_that_has_less_than_it_holds_loses_its_newest_orders():
    world = city(near=2, far=1)
    ask(world, "a", "near")
    ask(world, "b", "near", "far")
    count(world, "near", milk=1)
    assert left(world, "near") == (1, 1)
    world.until(60)
    assert world.board.orders["b"].order.store_id == "far"
    count(world, "near", milk=0)
    assert world.state("a") is OrderState.UNDELIVERED
    assert world.board.orders["a"].end_reason == "out_of_stock"
    assert left(world, "near") == (0, 0)


def test_an_older_count_is_refused_and_so_is_less_than_nothing():
    world = city()
    world.say(i.StockCounted(at=world.now, store_id="near", counts=(("milk", 5),), version=9))
    for fields, code in (
        ({"counts": (("milk", 3),), "version": 9}, "stale_stock"),
        ({"counts": (("milk", -6),), "add": True}, "invalid_order"),
        ({"counts": (("milk", -1),)}, "invalid_order"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            world.say(i.StockCounted(at=world.now, store_id="near", **fields))
        assert refused.value.code == code
    world.say(i.StockCounted(at=world.now, store_id="near", counts=(("milk", -2),), add=True))
    assert left(world, "near") == (3, 0)


def test_what_no_store_counts_is_there_without_limit():
    world = city()
    for number in range(3):
        world.order(f"o{number}", "near", 300, 0, skus=(("bread", 5),))
    assert world.board.stores["near"].reserved["bread"] == 15


@pytest.mark.parametrize("skus", [(("milk", 0),), (("", 1),), (("milk", 1), ("milk", 2))])
def test_an_order_that_takes_nothing_or_twice_is_refused(skus):
    world = city()
    with pytest.raises(Refused) as refused:
        world.order("o", "near", 300, 0, skus=skus)
    assert refused.value.details["field"] == "skus"


def assert_counted(world: World) -> None:
    held = {store_id: Counter() for store_id in world.board.stores}
    for record in world.board.orders.values():
        if record.reserved_at is not None:
            assert record.is_waiting
            held[record.reserved_at].update(dict(record.order.skus))
    for store_id, store in world.board.stores.items():
        assert store.reserved == {sku: n for sku, n in held[store_id].items() if n}
        assert all(0 <= store.reserved.get(sku, 0) <= stock for sku, stock in store.stock.items())


@pytest.mark.parametrize("seed", range(12))
def test_no_article_is_ever_promised_twice(seed):
    """Orders, cancellations, counts, closings, deliveries and rounds in any order; after each all adds up."""
    rng = np.random.default_rng(seed)
    world = city(near=3, far=3)
    steps = Counter[str]()
    for number in range(120):
        kind = rng.choice(["ask", "ask", "cancel", "count", "ran_out", "wait", "wait", "close"])
        names = list(world.board.open_orders)
        try:
            if kind == "ask":
                stores = list(rng.permutation(["near", "far"])[: rng.integers(1, 3)])
                ask(world, f"o{number}", *map(str, stores), milk=int(rng.integers(1, 3)))
            elif kind == "cancel" and names:
                world.say(i.OrderCancelled(at=world.now, order_id=str(rng.choice(names))))
            elif kind == "count":
                count(world, str(rng.choice(["near", "far"])), milk=int(rng.integers(0, 6)))
            elif kind == "ran_out" and names:
                record = world.board.open_orders[str(rng.choice(names))]
                world.say(i.StoreRanOut(at=world.now, store_id=record.order.store_id, order_id=record.order.order_id))
            elif kind == "close":
                shut = {"store_id": str(rng.choice(["near", "far"])), "until": world.now + 300}
                world.say(i.StoreClosed(at=world.now, **shut))
            elif kind == "wait":
                world.deliver_all(world.now - T0 + int(rng.integers(100, 1500)))
            steps[kind] += 1
        except Refused as refused:
            steps[refused.code] += 1
        assert_counted(world)
    assert steps["no_alternative"] and steps["ask"] and steps["wait"]
    delivered = sum(record.state is OrderState.DELIVERED for record in world.board.orders.values())
    assert delivered
    folded = Board(world.places, world.settings)
    for _, events in world.journal:
        for event in events:
            folded.apply(event)
    assert {k: (v.stock, v.reserved) for k, v in folded.stores.items()} == {
        k: (v.stock, v.reserved) for k, v in world.board.stores.items()
    }
    assert any(isinstance(x, e.StockKnown) for _, events in world.journal for x in events)
