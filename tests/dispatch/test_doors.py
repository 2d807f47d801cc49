"""One door is one stop with one way in, when planned and when told; each order at it ends by itself."""

from __future__ import annotations

import pytest

from dispatch import codec
from dispatch import events as e
from dispatch import inputs as i
from dispatch.model import ActKind, Level, Order, OrderState, Stop
from tests.kit.world import T0, World

BOTH = pytest.mark.parametrize("scope", ["same_store", "any"])
EACH_ITS_OWN = ("", "", "")
ONE = ("d", "d", "d")


def city(scope: str = "any", **settings: object) -> World:
    """One store and one rider beside it; at T0 three orders for the same corner are ready."""
    world = World(rules__mix=scope, rules__max_batch=3, **settings)
    world.store("s", 0, 0)
    world.rider("a", 0, 0)
    return world


def three(world: World, doors: tuple[str, str, str] = ONE) -> None:
    for k, door in enumerate(doors):
        world.order(f"o{k}", "s", 600, 3 * k, door=door)


def brought(world: World, rider_id: str = "a") -> list[Stop]:
    """A rider's stops at customers."""
    return [stop for stop in world.route(rider_id).stops if stop.store_id is None]


def names(stop: Stop) -> list[str]:
    return sorted(act.order_id for act in stop.acts)


def at_the_door(scope: str = "any") -> World:
    """All three are in the bag, and the rider stands at their door."""
    world = city(scope)
    three(world)
    world.until(60)
    world.arrive("a")
    world.until(120)
    world.complete("a")
    world.until(300)
    world.arrive("a")
    return world


@BOTH
def test_three_orders_at_one_door_are_one_stop_with_one_way_in(scope: str) -> None:
    world = city(scope)
    three(world)
    world.until(60)
    (stop,) = brought(world)
    assert names(stop) == ["o0", "o1", "o2"]
    # 60 s into the store, 60 s out, 120 s to the door, 60 s to ring.
    fetched_at = world.route("a").stops[0].expected_act_at
    assert stop.expected_act_at == fetched_at + 60 + 120 + 60
    assert stop.expected_leave_at == stop.expected_act_at + 60
    world.check()


@BOTH
def test_without_a_door_each_order_keeps_its_own_stop(scope: str) -> None:
    world = city(scope)
    three(world, EACH_ITS_OWN)
    world.until(60)
    assert [len(stop.acts) for stop in brought(world)] == [1, 1, 1]
    assert world.route("a").stops[-1].expected_act_at - world.route("a").stops[1].expected_act_at >= 2 * 120


@BOTH
def test_doors_with_a_store_that_closes_are_one_stop_too(scope: str) -> None:
    """Opening hours are windows of pickups: they part no door."""
    world = city(scope)
    store = world.board.stores["s"].store
    closing = i.StoreListed(at=world.now, store=type(store)("s", store.place, closes_at=T0 + 7200))
    world.say(closing)
    three(world)
    world.until(60)
    assert [names(stop) for stop in brought(world)] == [["o0", "o1", "o2"]]


@BOTH
def test_told_as_one_stop_and_delivered_together(scope: str) -> None:
    world = at_the_door(scope)
    (stop,) = world.route("a").told
    assert (stop.level, names(stop)) == (Level.AT_STOP, ["o0", "o1", "o2"])
    world.complete("a")
    assert {world.state(f"o{k}") for k in range(3)} == {OrderState.DELIVERED}
    assert world.route("a").stops == ()
    world.check()


def test_each_order_at_a_door_ends_by_itself() -> None:
    world = at_the_door()
    stop_id = world.route("a").stops[0].stop_id
    world.complete("a", ("o1",))
    assert world.state("o1") is OrderState.DELIVERED
    assert [(stop.stop_id, names(stop)) for stop in brought(world)] == [(stop_id, ["o0", "o2"])]
    world.until(330)
    fail = i.StopFailed(
        at=world.now, rider_id="a", stop_id=stop_id, happened_at=world.now, reason="absent", order_ids=("o2",)
    )
    world.say(fail)
    assert world.state("o2") is OrderState.RETURNING
    assert [(stop.stop_id, names(stop)) for stop in brought(world)] == [(stop_id, ["o0"])]
    world.check()
    world.until(340)
    world.complete("a")
    assert world.state("o0") is OrderState.DELIVERED
    assert [names(stop) for stop in world.route("a").stops] == [["o2"]]
    world.deliver_all()
    assert world.state("o2") is OrderState.RETURNED
    world.check()


def test_said_twice_is_said_once() -> None:
    world = at_the_door()
    for _ in range(2):
        world.complete("a", ("o1",))
    assert names(world.route("a").stops[0]) == ["o0", "o2"]


def test_all_that_failed_leave_the_door() -> None:
    world = at_the_door()
    world.fail("a", "nobody opens")
    assert {world.state(f"o{k}") for k in range(3)} == {OrderState.RETURNING}
    assert brought(world) == []
    world.check()


def test_undone_the_order_is_brought_to_the_same_stop_again() -> None:
    world = at_the_door()
    stop_id = world.route("a").stops[0].stop_id
    world.complete("a", ("o1",))
    world.say(i.OutcomeSet(at=world.now, order_id="o1", outcome=i.Outcome.UNDO, reason="wrong bag"))
    world.until(360)
    assert [(stop.stop_id, names(stop)) for stop in brought(world)] == [(stop_id, ["o0", "o1", "o2"])]
    world.check()


def change(world: World, order_id: str, x: float, door: str) -> None:
    order = world.board.orders[order_id].order
    place = order.drop_place if x == 600 else world.places.add(0, x, enter_s=60, exit_s=60)
    values = {name: getattr(order, name) for name in Order.__slots__} | {"drop_place": place, "door": door}
    world.say(i.OrderChanged(at=world.now, order=Order(**values)))


@pytest.mark.parametrize(("x", "door"), [(900, ""), (900, "elsewhere"), (600, "next door")])
def test_a_change_of_address_parts_the_door(x: float, door: str) -> None:
    world = at_the_door()
    stop_id = world.route("a").stops[0].stop_id
    change(world, "o0", x, door)
    # Before any round: what the phone shows next holds the goods, each at its place.
    there, apart = world.route("a").told
    assert (there.stop_id, names(there), names(apart)) == (stop_id, ["o1", "o2"], ["o0"])
    assert apart.stop_id not in ("", stop_id)
    assert there.place in {world.board.orders[o].order.drop_place for o in ("o1", "o2")}
    assert apart.place == world.board.orders["o0"].order.drop_place
    world.check()
    world.until(420)
    assert sorted(names(stop) for stop in brought(world)) == [["o0"], ["o1", "o2"]]
    world.deliver_all()
    assert {world.state(f"o{k}") for k in range(3)} == {OrderState.DELIVERED}
    world.check()


def test_a_change_to_the_same_door_is_one_stop_from_the_next_round_on() -> None:
    world = city()
    three(world, ("d", "d", ""))
    world.until(60)
    assert sorted(map(names, brought(world))) == [["o0", "o1"], ["o2"]]
    change(world, "o2", 600, "d")
    world.until(120)
    assert list(map(names, brought(world))) == [["o0", "o1", "o2"]]
    world.check()


def test_a_stop_goes_by_the_place_of_one_of_its_own_orders() -> None:
    """The place of an order that has ended may be forgotten: who is still expected is found by their own."""
    world = at_the_door()
    first = world.board.orders["o0"].order.drop_place
    assert world.route("a").stops[0].place == first
    world.complete("a", ("o0",))
    left = {world.board.orders[order_id].order.drop_place for order_id in ("o1", "o2")}
    assert world.route("a").stops[0].place in left


def test_a_route_that_stays_is_told_once() -> None:
    """Rounds know the door by the place of its first order, which another rider carries: that changes nothing here."""
    world = city()
    world.order("x", "s", 600, 9, door="d")
    world.until(60)
    world.arrive("a")
    world.until(120)
    world.complete("a")
    world.rider("b", 0, 0)
    world.order("o0", "s", 600, 0, door="d")
    world.until(240)
    assert world.board.orders["o0"].planned_rider_id == "b"
    revision = world.route("b").revision
    place = brought(world, "b")[0].place
    assert place == world.board.orders["o0"].order.drop_place
    frozen = world.engine.freeze()
    assert frozen.ids.doors == {place: world.board.orders["x"].order.drop_place}
    world.until(300)
    assert world.route("b").revision == revision
    said = [event for _, events in world.journal[-4:] for event in events if isinstance(event, e.RouteRevised)]
    assert not any(event.told for event in said)


def answer(world: World, *stops: tuple[str, list[str]]) -> None:
    """A round's answer by hand: a rider's stops, each a store or a door (the order whose place it goes by)."""
    board = world.board
    planned = []
    for at, orders in stops:
        store = board.stores.get(at)
        place = store.store.place if store is not None else board.orders[at].order.drop_place
        kind = ActKind.PICKUP if store is not None else ActKind.DROP
        acts = tuple((order_id, kind) for order_id in orders)
        planned.append(i.PlannedStop(place, at if store is not None else None, acts, 100, 0, 0, world.now + 900, 0))
    change = i.RouteChange("a", world.route("a").revision, tuple(planned))
    world.say(i.RoundSolved(at=world.now, round=board.open_round or 0, changes=(change,)))


def test_what_joins_a_told_door_is_told_with_its_pickup() -> None:
    """The rider stands at a second store whose goods may still go to another: the door does not name them yet."""
    world = city()
    world.store("t", 300, 0)
    world.order("o0", "s", 600, 0, door="d")
    world.until(60)
    world.arrive("a")
    world.until(120)
    world.complete("a")
    world.answers_rounds = False
    world.order("gone", "t", 900, 0, ready_s=900)
    world.until(180)
    answer(world, ("t", ["gone"]), ("o0", ["o0"]), ("gone", ["gone"]))
    world.say(i.OrderCancelled(at=world.now, order_id="gone"))
    world.order("o1", "t", 600, 3, ready_s=900, door="d")
    world.until(240)
    answer(world, ("t", ["o1"]), ("o0", ["o0", "o1"]))
    store, door = world.route("a").stops
    assert (store.level, [act.level for act in store.acts]) == (Level.UNDERWAY, [Level.TENTATIVE])
    assert [(act.order_id, act.level) for act in door.acts] == [("o0", Level.TOLD), ("o1", Level.TENTATIVE)]
    world.check()
    world.say(i.OrderReady(at=world.now, order_id="o1", happened_at=world.now))
    world.arrive("a")
    world.until(600)
    assert [act.level for stop in world.route("a").stops for act in stop.acts] == [Level.TOLD] * 3
    world.check()


def test_the_door_is_written_and_read_and_nothing_where_there_is_none() -> None:
    plain = Order("o", "s", 1, 0, 0, 10)
    assert "door" not in codec.plain(plain)
    item = i.OrderPlaced(at=0, order=Order("o", "s", 1, 0, 0, 10, door="d.2"))
    assert codec.decode_input(codec.encode(item)) == item
    event = e.OrderAccepted(at=0, order=item.order)
    assert codec.decode_event(codec.encode(event)) == event
