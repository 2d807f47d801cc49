"""Orders of several stores and ends: chosen by rounds, open until a store must be told, chosen anew where one shuts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.codec import decode_event, encode
from dispatch.errors import Refused
from dispatch.model import Order, OrderState, Reason
from dispatch.record.story import tell
from dispatch.rounds.trial import made_late, tried_with
from dispatch.ways import End, EndKind, Source, ends_of, ends_text, sources_of, sources_text
from tests.kit.world import T0, World

NEAR, FAR = Source("near", 300), Source("far", 300)


def city(**settings: object) -> World:
    """A rider at the store `near`, another store 3 km away (10 minutes)."""
    world = World(**settings)
    world.store("near", 0, 0)
    world.store("far", 3000, 0)
    world.rider("alice", 0, 0)
    return world


def told(world: World) -> list[e.SourceTold]:
    return [event for _, events in world.journal for event in events if isinstance(event, e.SourceTold)]


def chosen(world: World, order_id: str) -> tuple[str, str]:
    order = world.board.orders[order_id].order
    return order.store_id, order.end.name


def lines(world: World, order_id: str) -> str:
    entries = [(0, item, events) for item, events in world.journal]
    return " ".join(line.text for line in tell(entries, order_id).lines)


def test_the_store_near_the_rider_and_the_door_is_chosen_and_told_in_time():
    world = city()
    world.order("o", "far", 300, 0, sources=(FAR, NEAR))
    world.until(60)
    assert chosen(world, "o") == ("near", "door")
    (event,) = told(world)
    # It prepares for 300 s, and the rider stands beside it: the first round tells it at once.
    assert (event.at, event.store_id, event.why) == (T0, "near", "latest_start")
    assert event.expected_ready_at == T0 + 300
    world.deliver_all()
    assert world.state("o") is OrderState.DELIVERED
    assert "near was told to prepare it" in lines(world, "o")
    world.check()


def test_a_price_outweighs_the_way():
    world = city()
    world.order("o", "near", 1500, 0, sources=(Source("near", 300, price=10**7), FAR))
    world.until(60)
    assert chosen(world, "o") == ("far", "door")


def test_a_store_is_told_no_sooner_than_its_rider_can_be_there():
    world = World()
    world.store("shop", 0, 0)
    world.rider("alice", 6000, 0)  # twenty minutes away
    world.order("o", "shop", 300, 0, sources=(Source("shop", 300),), due_at=T0 + 7200)
    world.until(600)
    record = world.board.orders["o"]
    assert record.planned_rider_id == "alice"
    assert not told(world)
    world.until(1300)
    (event,) = told(world)
    # They arrive after 1200 s and are at the counter a minute later: 300 s before that.
    assert event.at == T0 + 1200 + 60 - 300
    assert event.why in ("latest_start", "rider_told")


def test_an_end_is_chosen_by_its_price_until_the_goods_are_on_board():
    world = city()
    counter = world.places.add(0.0, 3000.0, enter_s=60, exit_s=60)
    door = world.places.add(0.0, -6000.0, enter_s=60, exit_s=60)
    ends = (End(EndKind.DOOR, door), End(EndKind.COUNTER, counter, 1000, "far"))
    order = i.OrderPlaced(at=T0, order=Order("o", "near", door, T0, T0 + 60, T0 + 3600, sources=(NEAR,), ends=ends))
    world.say(order)
    world.until(60)
    assert chosen(world, "o") == ("near", "counter:far")
    world.deliver_all()
    assert world.state("o") is OrderState.DELIVERED
    assert world.board.orders["o"].order.drop_place == counter


def test_an_order_goes_to_its_door_where_nothing_is_chosen():
    world = city()
    world.order("o", "near", 300, 0)
    world.deliver_all()
    assert not told(world)
    assert not [x for _, events in world.journal for x in events if isinstance(x, e.AlternativeChosen)]


@pytest.mark.parametrize("acted", [False, True])
def test_a_store_that_closes_is_left_for_another_as_long_as_the_goods_are_there(acted):
    world = city()
    world.order("o", "near", 300, 0, sources=(NEAR, FAR))
    if acted:
        world.until(60)
    world.say(i.StoreClosed(at=world.now, store_id="near"))
    world.until(240)
    assert chosen(world, "o") == ("far", "door")
    world.deliver_all()
    assert world.state("o") is OrderState.DELIVERED
    assert ("near cannot hand it out (store closed)" in lines(world, "o")) == acted
    world.check()


def test_what_a_store_runs_out_of_comes_from_another_and_is_not_asked_there_again():
    world = city()
    world.order("o", "near", 300, 0, sources=(NEAR, FAR))
    world.until(60)
    world.say(i.StoreRanOut(at=world.now, store_id="near", order_id="o"))
    world.until(180)
    assert chosen(world, "o") == ("far", "door")
    world.say(i.StoreRanOut(at=world.now, store_id="far", order_id="o"))
    assert world.state("o") is OrderState.UNDELIVERED
    assert world.board.orders["o"].end_reason == "ran_out"
    world.check()


def test_a_single_store_that_runs_out_ends_the_order():
    world = city()
    world.order("o", "near", 300, 0)
    world.say(i.StoreRanOut(at=world.now, store_id="near", order_id="o"))
    assert world.state("o") is OrderState.UNDELIVERED


def test_an_order_of_which_no_store_is_open_is_refused_with_the_reason_of_each():
    world = city()
    world.say(i.StoreClosed(at=T0, store_id="near"))
    world.say(i.StoreClosed(at=T0, store_id="far", until=T0 + 7200))
    with pytest.raises(Refused) as refused:
        world.order("o", "near", 300, 0, sources=(NEAR, FAR))
    assert refused.value.code == "no_alternative"
    assert refused.value.details["sources"] == {
        "near": "it is closed and nobody knows until when", "far": "it opens in 120 minutes only",
    }  # fmt: skip
    assert "o" not in world.board.orders


def test_an_order_begins_with_a_store_that_is_open():
    world = city()
    world.say(i.StoreClosed(at=T0, store_id="near"))
    world.order("o", "near", 300, 0, sources=(NEAR, FAR))
    assert chosen(world, "o") == ("far", "door")


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"sources": (NEAR, Source("nowhere", 1))}, "unknown_store", "nowhere"),
        ({"sources": (FAR,)}, "invalid_order", "store_id"),
        ({"sources": (NEAR, NEAR)}, "invalid_order", "sources"),
        ({"sources": (NEAR, Source("far", -1))}, "invalid_order", "sources"),
        ({"sources": (NEAR, Source("far", 1, price=-1))}, "invalid_order", "sources"),
        ({"sources": (NEAR, *(Source(f"s{k}") for k in range(8)))}, "unknown_store", "s0"),
        ({"ends": (End(EndKind.DOOR, 10**6),)}, "unknown_place", ""),
        ({"ends": (End(EndKind.COUNTER, 0, 0, "nowhere"),)}, "unknown_store", "nowhere"),
        ({"ends": (End(EndKind.DOOR, 0),)}, "invalid_order", "drop_place"),
    ],
)
def test_what_cannot_be_is_refused_by_name(fields, code, said):
    world = city()
    with pytest.raises(Refused) as refused:
        world.order("o", "near", 300, 0, **fields)
    assert refused.value.code == code
    assert (
        not said
        or said in (str(refused.value), *map(str, refused.value.details.values()))
        or said in str(refused.value.message)
    )


def test_a_counter_of_the_only_store_is_no_way():
    world = city()
    place = world.places.add(0.0, 0.0)
    order = Order("o", "near", place, T0, T0, T0 + 1800, ends=(End(EndKind.COUNTER, place, 0, "near"),))
    with pytest.raises(Refused, match="counter to itself"):
        world.say(i.OrderPlaced(at=T0, order=order))


def test_a_round_that_was_solved_before_a_store_ran_out_does_not_bring_it_back():
    world = city()
    world.answers_rounds = False
    world.order("o", "far", 300, 0, sources=(FAR, NEAR))
    world.until(60)
    answer = world.policy.answer(world.engine.freeze(), world.times)
    assert [(found.store_id, found.end) for found in answer.alternatives] == [("near", "door")]
    world.say(i.StoreClosed(at=world.now, store_id="near"))
    events = world.say(replace(answer, at=world.now))
    assert any(isinstance(x, e.RoundClosed) and x.refused == ("alice",) for x in events)
    assert chosen(world, "o") == ("far", "door")


def test_an_order_with_a_closed_store_only_waits_for_it():
    world = city()
    world.order("o", "near", 300, 0, sources=(NEAR,))
    world.say(i.StoreClosed(at=T0, store_id="near", until=T0 + 3600))
    world.until(60)
    assert world.board.orders["o"].reason is Reason.STORE_CLOSED


def test_the_events_are_read_as_they_were_written():
    world = city()
    world.order("o", "far", 300, 0, sources=(FAR, NEAR))
    world.until(60)
    for _, events in world.journal:
        for event in events:
            assert decode_event(encode(event)) == event


def test_lines_of_text_say_what_sources_and_ends_there_are():
    text = "north 480; south 600 price 200"
    assert sources_of(text) == (Source("north", 480), Source("south", 600, 200))
    assert sources_text(sources_of(text)) == text
    door = End(EndKind.DOOR, 7, door="d")
    text = "door price 300; counter north"
    assert ends_of(text, door, {"north": 9}.__getitem__) == (
        End(EndKind.DOOR, 7, 300, door="d"), End(EndKind.COUNTER, 9, 0, "north"),
    )  # fmt: skip
    assert ends_text(ends_of(text, door, {"north": 9}.__getitem__)) == text
    for wrong in ("north", "north soon", "north 4 5"):
        with pytest.raises(ValueError, match="is no source"):
            sources_of(wrong)
    for wrong in ("window", "counter", "counter a b"):
        with pytest.raises(ValueError, match="is no end"):
            ends_of(wrong, door, {}.__getitem__)


def with_two_ends(world: World, order_id: str = "o") -> tuple[int, int]:
    """An order for a door at 300 m or the counter of `far` at 3 km; the places of both."""
    door = world.places.add(0.0, 300.0, enter_s=60, exit_s=60)
    counter = world.places.add(0.0, 3000.0, enter_s=60, exit_s=60)
    ends = (End(EndKind.DOOR, door), End(EndKind.COUNTER, counter, 10, "far"))
    world.say(i.OrderPlaced(at=world.now, order=Order(order_id, "near", door, T0, T0 + 60, T0 + 3600, ends=ends)))
    return door, counter


@pytest.mark.parametrize("on_board", [False, True])
def test_a_customer_may_ask_for_another_end_before_and_after_the_pickup(on_board):
    world = city()
    _, counter = with_two_ends(world)
    world.until(60)
    if on_board:
        world.deliver_all(240)
        assert world.state("o").is_on_board
    assert chosen(world, "o") == ("near", "door")
    world.say(i.EndAsked(at=world.now, order_id="o", end="counter:far"))
    assert world.board.orders["o"].order.drop_place == counter
    world.deliver_all()
    assert world.state("o") is OrderState.DELIVERED
    assert chosen(world, "o") == ("near", "counter:far")
    assert "as its customer asked" in lines(world, "o")
    world.check()


def test_an_end_that_costs_a_promise_or_is_none_is_refused():
    world = city()
    with_two_ends(world)
    for fields, code in (
        ({"end": "window"}, "invalid_order"),
        ({"end": "counter:far", "late": ("other",)}, "costs_a_promise"),
        ({"end": "door", "order_id": "nobody"}, "unknown_order"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            world.say(i.EndAsked(**({"at": world.now, "order_id": "o"} | fields)))
        assert refused.value.code == code
    world.say(i.EndAsked(at=world.now, order_id="o", end="counter:far", late=("o",)))  # its own promise is its own
    world.deliver_all()
    with pytest.raises(Refused) as refused:
        world.say(i.EndAsked(at=world.now, order_id="o", end="door"))
    assert refused.value.code == "invalid_transition"


@pytest.mark.parametrize(("due_s", "late"), [(7200, ()), (900, ("second",))])
def test_a_trial_says_whose_promise_another_end_would_cost(due_s, late):
    world = city()
    with_two_ends(world)
    world.deliver_all(240)
    assert world.state("o").is_on_board
    world.order("second", "near", -300, 0, due_at=world.now + due_s)
    world.until(world.now - T0 + 60)
    order = world.board.orders["o"].order
    changed = replace(order.choosing(order.source, order.ends[1]), asked_end="counter:far")
    before = world.board.dump()
    assert made_late(tried_with(world.board, order, world.now), world.times) == ()
    assert made_late(tried_with(world.board, changed, world.now), world.times) == late
    assert world.board.dump() == before
