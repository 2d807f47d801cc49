"""Who held an order, from when to when: one list, made of events, without gaps."""

from __future__ import annotations

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.dumps import TABLES
from dispatch.custody import Chain, Keeper, after
from dispatch.inputs import Outcome
from dispatch.model import Order, OrderState
from dispatch.record.story import tell
from tests.dispatch.engine.test_late_reports import at_door, completes
from tests.kit.world import T0, catalogue_of, folded

S = OrderState
ORDER = Order("o1", "s1", 0, placed_at=1_000, expected_ready_at=1_600, due_at=2_800)


def moved(state: OrderState, at: int, rider_id: str | None = None) -> e.OrderMoved:
    return e.OrderMoved(at=at + 5, order_id="o1", state=state, happened_at=at, rider_id=rider_id)


def corrected(state: OrderState, at: int, rider_id: str | None = None) -> e.OutcomeCorrected:
    return e.OutcomeCorrected(at=at + 90, order_id="o1", state=state, happened_at=at, rider_id=rider_id)


def chain_of(*events: e.Event) -> list[tuple[str, str, int, int | None]]:
    chain: Chain = ()
    for event in (e.OrderAccepted(at=1_000, order=ORDER), *events):
        chain = after(chain, event)  # type: ignore[arg-type]
    return [(part.keeper.value, part.keeper_id, part.from_at, part.to_at) for part in chain]


def test_from_the_store_to_the_customer() -> None:
    assert chain_of() == [("store", "s1", 1_000, None)]
    assert chain_of(
        moved(S.CONFIRMED, 1_100, "r1"),
        moved(S.PICKED_UP, 1_700, "r1"),
        moved(S.ENROUTE_TO_DROPOFF, 1_760, "r1"),
        moved(S.DELIVERED, 2_000, "r1"),
    ) == [("store", "s1", 1_000, 1_700), ("rider", "r1", 1_700, 2_000), ("customer", "", 2_000, None)]


def test_from_one_rider_to_another_by_way_of_a_place() -> None:
    assert chain_of(
        moved(S.PICKED_UP, 1_700, "r1"),
        moved(S.PICKED_UP, 1_900),
        e.GoodsMoved(at=1_900, order_id="o1", place=7, reason="flat tyre"),
        moved(S.PICKED_UP, 2_100, "r2"),
        moved(S.DELIVERED, 2_400, "r2"),
    )[1:] == [
        ("rider", "r1", 1_700, 1_900), ("place", "", 1_900, 2_100), ("rider", "r2", 2_100, 2_400),
        ("customer", "", 2_400, None),
    ]  # fmt: skip


def test_back_at_the_store() -> None:
    fetched = moved(S.PICKED_UP, 1_700, "r1")
    assert chain_of(fetched, moved(S.RETURNING, 2_000, "r1"), moved(S.RETURNED, 2_300, "r1"))[1:] == [
        ("rider", "r1", 1_700, 2_300), ("store", "s1", 2_300, None),
    ]  # fmt: skip


def test_a_late_fact_takes_the_place_of_what_was_believed() -> None:
    returned = moved(S.PICKED_UP, 1_700, "r1"), moved(S.RETURNING, 2_000, "r1"), moved(S.RETURNED, 2_300, "r1")
    # The customer had them at 1990 after all: nothing came back to the store.
    assert chain_of(*returned, corrected(S.DELIVERED, 1_990, "r1"))[1:] == [
        ("rider", "r1", 1_700, 1_990), ("customer", "", 1_990, None),
    ]  # fmt: skip
    # Called off, and fetched before that was heard of.
    assert chain_of(moved(S.CANCELLED, 1_500), corrected(S.RETURNING, 1_450, "r1")) == [
        ("store", "s1", 1_000, 1_450), ("rider", "r1", 1_450, None),
    ]  # fmt: skip


def test_what_operations_undo_has_not_been() -> None:
    fetched, delivered = moved(S.PICKED_UP, 1_700, "r1"), moved(S.DELIVERED, 2_000, "r1")
    carried = [("store", "s1", 1_000, 1_700), ("rider", "r1", 1_700, None)]
    assert chain_of(fetched, delivered, corrected(S.PICKED_UP, 2_500, "r1")) == carried
    returned = fetched, moved(S.RETURNING, 2_000, "r1"), moved(S.RETURNED, 2_300, "r1")
    assert chain_of(*returned, corrected(S.RETURNING, 2_500, "r1")) == carried
    assert chain_of(moved(S.CANCELLED, 1_500), corrected(S.CREATED, 1_600)) == [("store", "s1", 1_000, None)]


def test_events_of_an_order_nobody_has_heard_of_begin_no_chain() -> None:
    assert after((), moved(S.PICKED_UP, 1_700, "r1")) == ()


def test_the_board_the_story_and_the_figures_tell_the_same_list() -> None:
    world = at_door()
    completes(world, "r.2", world.now)
    world.check()
    chain = world.board.orders["o1"].custody
    assert [(part.keeper, part.keeper_id) for part in chain] == [
        (Keeper.STORE, "kitchen"), (Keeper.RIDER, "r"), (Keeper.CUSTOMER, ""),
    ]  # fmt: skip
    story = tell(world.journal, "o1")
    assert [(part["keeper"], part["from_at"], part["to_at"]) for part in story.facts["custody"]] == [
        (part.keeper.value, part.from_at, part.to_at) for part in chain
    ]
    assert story.lines[-1].text.startswith("The goods were held by store kitchen until ")
    fold = folded(world, catalogue_of(world))
    assert fold.chains.of["o1"] == chain
    summary = fold.summary()
    held = chain[1].to_at - chain[1].from_at  # type: ignore[operator]
    assert (summary["held_by_rider_mean_s"], summary["handed_on"]) == (held, 0)
    assert summary["held_by_store_mean_s"] == chain[0].to_at - T0  # type: ignore[operator]


def test_two_riders_are_counted_as_handed_on() -> None:
    world = at_door()
    place = world.places.add(0.0, 600.0)
    world.say(i.HandoverOrdered(at=world.now, order_id="o1", place=place, reason="flat tyre"))
    world.rider("s", 500, 0)
    world.say(i.ShiftEnded(at=world.now, rider_id="r"))
    world.deliver_all()
    assert world.state("o1") is S.DELIVERED
    world.check()
    keepers = [(part.keeper, part.keeper_id) for part in world.board.orders["o1"].custody]
    assert keepers[1:4] == [(Keeper.RIDER, "r"), (Keeper.PLACE, ""), (Keeper.RIDER, "s")]
    assert folded(world, catalogue_of(world)).summary()["handed_on"] == 1


def test_an_undone_end_is_undone_on_the_board() -> None:
    world = at_door()
    completes(world, "r.2", world.now)
    world.say(i.OutcomeSet(at=world.now, order_id="o1", outcome=Outcome.UNDO, reason="wrong door", by="key-1"))
    world.check()
    assert world.board.orders["o1"].custody[-1].keeper is Keeper.RIDER


def test_a_snapshot_of_before_tells_custody_as_far_as_its_facts_do() -> None:
    world = at_door()
    completes(world, "r.2", world.now)
    state = world.board.dump()
    assert "orders" in TABLES and state["orders"]["o1"].pop("custody")
    assert Board.load(world.places, state).orders["o1"].custody == world.board.orders["o1"].custody
