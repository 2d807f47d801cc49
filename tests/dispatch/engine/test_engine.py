"""The engine by hand: what is told when, and what happens when things go wrong."""

from __future__ import annotations

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.errors import ClockWentBack, InvalidSetting, Refused
from dispatch.model import ActKind, Level, Order, OrderState, Reason
from tests.kit.world import T0, World


def small(**settings: object) -> World:
    """One store 300 m (60 s) east of one rider; the customer another 300 m east."""
    world = World(**settings)
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0)
    return world


def test_a_rider_is_told_at_the_last_moment_that_delays_nothing() -> None:
    world = small()
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    # Ready at 600; 60 s of entering and 60 s of way before it: leaving at 480 is early enough.
    world.until(479)
    assert world.state("o1") is OrderState.CREATED
    assert world.board.orders["o1"].reason is Reason.KEPT
    assert world.board.orders["o1"].kept_until == T0 + 480
    world.until(480)
    assert [stop.level for stop in world.route("ann").told] == [Level.UNDERWAY]
    # The place is told, the order is still open: it is settled at the act instant.
    assert world.state("o1") is OrderState.CREATED
    world.until(540)
    world.arrive("ann")
    world.until(599)
    assert world.state("o1") is OrderState.CREATED
    world.until(600)
    assert world.state("o1") is OrderState.ARRIVED_AT_PICKUP
    assert [stop.acts[0].kind for stop in world.route("ann").told] == [ActKind.PICKUP, ActKind.DROP]
    world.complete("ann")
    assert world.state("o1") is OrderState.ENROUTE_TO_DROPOFF
    assert world.board.orders["o1"].picked_up_at == T0 + 600
    # 60 s of leaving, 60 s of way, 60 s of entering.
    assert world.board.orders["o1"].expected_dropoff_at == T0 + 780
    world.until(720)
    world.arrive("ann")
    world.until(780)
    world.complete("ann")
    assert world.state("o1") is OrderState.DELIVERED
    assert world.route("ann").stops == ()
    world.check()


def test_at_once_tells_as_soon_as_the_rider_is_free() -> None:
    world = small(rules__commit="at_once")
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.until(0)
    assert world.route("ann").stops[0].level is Level.UNDERWAY


def test_a_later_order_joins_while_the_rider_waits_at_the_store() -> None:
    world = small()
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.until(540)
    world.arrive("ann")
    world.order("o2", "kitchen", 620, 0, ready_s=30)
    world.until(600)
    assert {act.order_id for act in world.route("ann").stops[0].acts} == {"o1", "o2"}
    assert world.state("o2") is OrderState.ARRIVED_AT_PICKUP
    world.complete("ann")
    assert world.state("o1").is_on_board and world.state("o2").is_on_board
    world.check()


def test_the_receipt_names_the_riders_who_came_next() -> None:
    world = small()
    world.rider("bob", -300, 0)
    world.order("o1", "kitchen", 600, 0, ready_s=240)
    world.until(180)
    world.arrive("ann")
    world.until(240)
    decisions = [x for _, events in world.journal for x in events if isinstance(x, e.DecisionMade)]
    assert [x.rider_id for x in decisions] == ["ann"]
    assert [rider_id for rider_id, _ in decisions[0].others] == ["bob"]
    assert decisions[0].others[0][1] >= decisions[0].added_cost


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"order_id": "o1"}, "duplicate_order"),
        ({"store_id": "nowhere"}, "unknown_store"),
        ({"drop_place": 10_000}, "unknown_place"),
        ({"due_at": T0 - 1}, "invalid_order"),
        ({"load_units": -1}, "invalid_order"),
        ({"max_on_board_s": 0}, "invalid_order"),
    ],
)
def test_an_impossible_order_is_refused_and_nothing_changes(change: dict[str, object], code: str) -> None:
    world = small()
    world.order("o1", "kitchen", 600, 0)
    before = world.board.dump()
    values = {
        "order_id": "o2", "store_id": "kitchen", "drop_place": 1, "placed_at": T0, "expected_ready_at": T0,
        "due_at": T0 + 1800,
    }  # fmt: skip
    order = Order(**(values | change))  # type: ignore[arg-type]
    with pytest.raises(Refused) as refused:
        world.engine.handle(i.OrderPlaced(at=T0, order=order))
    assert refused.value.code == code
    assert world.board.dump() == before


def test_time_does_not_run_backwards() -> None:
    world = small()
    world.until(60)
    world.say(i.Wake(at=T0 + 60))
    with pytest.raises(ClockWentBack):
        world.engine.handle(i.Wake(at=T0 + 59))


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    world = small()
    with pytest.raises(InvalidSetting, match=r"rules\.round_s"):
        world.engine.handle(i.SettingChanged(at=T0, key="rules.rounds", value="3"))
    world.say(i.SettingChanged(at=T0, key="rules.max_batch", value="2"))
    assert world.board.settings.rules.max_batch == 2


# --- rounds ---------------------------------------------------------------------------------------------------------


def test_a_route_names_the_travel_times_that_its_legs_come_from() -> None:
    world = small()
    world.answers_rounds = False
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.until(0)
    assert world.board.open_round is not None
    frozen = world.engine.freeze()
    # News of traffic while the round is being solved: its answer was made with the older times.
    world.say(i.TravelChanged(at=world.now, version=2, digest="jam"))
    world.say(world.policy.answer(frozen, world.times))
    assert world.board.travel_version == 2
    assert (world.route("ann").travel_version, len(world.route("ann").stops)) == (1, 2)
    world.check()
    # What changes between rounds keeps its legs; the next round's are of the newer times.
    world.answers_rounds = True
    world.until(480)
    assert world.route("ann").told and world.route("ann").travel_version == 1
    world.order("o2", "kitchen", 620, 0, ready_s=500)
    world.until(540)
    assert world.route("ann").travel_version == 2
    world.check()


def test_a_second_answer_to_a_round_is_dropped() -> None:
    world = small()
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.answers_rounds = False
    world.until(0)
    answer = world.policy.answer(world.engine.freeze(), world.times)
    world.say(answer)
    (dropped,) = world.say(answer)
    assert isinstance(dropped, e.AnswerDropped)


def test_an_empty_answer_closes_the_round() -> None:
    world = small()
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.answers_rounds = False
    world.until(0)
    assert world.board.open_round == 1
    world.say(i.RoundSolved(at=world.now, round=1, cause="ABANDONED"))
    assert world.board.open_round is None
    world.answers_rounds = True
    world.until(60)
    assert world.board.orders["o1"].planned_rider_id == "ann"


def test_of_two_changes_that_share_an_order_the_second_is_refused() -> None:
    world = small()
    world.rider("bob", 0, 0)
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.answers_rounds = False
    world.until(0)
    answer = world.policy.answer(world.engine.freeze(), world.times)
    (mine,) = answer.changes
    other = "bob" if mine.rider_id == "ann" else "ann"
    twice = i.RoundSolved(at=answer.at, round=1, changes=(mine, mine._replace(rider_id=other)))
    events = world.say(twice)
    (closed,) = [x for x in events if isinstance(x, e.RoundClosed)]
    assert len(closed.refused) == 1
    world.check()


def test_prompt_mode_opens_a_round_at_once_for_an_idle_rider() -> None:
    world = small(rules__round_mode="prompt", rules__round_s=10)
    world.until(31)
    world.order("o1", "kitchen", 600, 0)
    assert world.engine.wake_at() == T0 + 31
    world.until(31)
    assert world.state("o1") is OrderState.ENROUTE_TO_PICKUP or world.route("ann").told


# --- reports that do not fit ----------------------------------------------------------------------------------------


def test_a_pickup_by_the_wrong_rider_is_a_fact() -> None:
    world = small()
    world.rider("bob", -900, 0)
    world.order("o1", "kitchen", 600, 0, ready_s=120)
    world.until(60)
    assert world.board.orders["o1"].planned_rider_id == "ann"
    world.say(i.StopCompleted(at=world.now, rider_id="bob", stop_id="bob.9", happened_at=world.now, order_ids=("o1",)))
    assert world.board.orders["o1"].rider_id == "bob"
    assert world.state("o1").is_on_board
    contradictions = [x for _, events in world.journal for x in events if isinstance(x, e.ReportContradicted)]
    assert [x.rider_id for x in contradictions] == ["bob"]
    world.deliver_all()
    assert world.state("o1") is OrderState.DELIVERED
    world.check()


def test_reports_of_strangers_are_kept_and_change_nothing() -> None:
    world = small()
    before = world.board.dump()
    for item in (
        i.StopArrived(at=T0, rider_id="zed", stop_id="zed.1", happened_at=T0),
        i.StopCompleted(at=T0, rider_id="zed", stop_id="zed.1", happened_at=T0),
        i.ShiftEnded(at=T0, rider_id="zed"),
        i.RouteSeen(at=T0, rider_id="zed", revision=1, happened_at=T0),
    ):
        (event,) = world.engine.handle(item)
        assert isinstance(event, e.ReportContradicted)
    assert world.board.dump() == before


def test_a_snapshot_loads_to_the_same_state_and_the_same_decisions() -> None:
    world = small()
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.order("o2", "kitchen", 700, 100, ready_s=300)
    world.until(200)
    again = Board.load(world.places, world.board.dump())
    assert again.dump() == world.board.dump()
    from dispatch.engine.engine import Engine

    engine = Engine(world.places, world.settings, again)
    assert engine.wake_at() == world.engine.wake_at()
    wake = i.Wake(at=world.engine.wake_at() or 0)
    assert engine.decide(wake) == world.engine.decide(wake)


# --- more orders than a round can plan ------------------------------------------------------------------------------


def test_where_a_round_cannot_plan_all_orders_those_due_first_are_planned_and_the_others_wait_for_budget() -> None:
    world = World(rules__max_open_orders=2)
    world.store("s", 0, 0)
    world.rider("r", 0, 0)
    for name, due_s in (("late", 9000), ("later", 9600), ("urgent", 900)):
        world.order(name, "s", 500, 0, due_at=T0 + due_s)
    world.until(60)
    reasons = {name: world.board.orders[name].reason for name in ("urgent", "late", "later")}
    assert reasons["later"] is Reason.BUDGET and Reason.BUDGET not in (reasons["urgent"], reasons["late"])
    assert world.board.orders["urgent"].planned_rider_id == "r"
    assert world.engine.freeze().orders_over == 1


def test_under_pressure_a_round_adds_few_orders_and_what_is_planned_stays() -> None:
    world = World(rules__commit="last_moment")
    world.store("s", 0, 0)
    world.rider("r", 0, 0)
    for k in range(3):
        world.order(f"planned{k}", "s", 500, 0, ready_s=3000, due_at=T0 + 4000)
    world.until(60)
    assert all(record.planned_rider_id == "r" for record in world.board.orders.values())
    world.say(i.RoundsLimited(at=world.now, most_new_orders=1))
    world.order("slow", "s", 600, 0, ready_s=3000, due_at=T0 + 9000)
    world.order("quick", "s", 600, 0, ready_s=3000, due_at=T0 + 4000)
    world.until(120)
    planned = {name for name, record in world.board.orders.items() if record.planned_rider_id == "r"}
    assert planned == {"planned0", "planned1", "planned2", "quick"}
    assert world.board.orders["slow"].reason is Reason.BUDGET
    world.until(180)
    assert world.board.orders["slow"].planned_rider_id == "r", "one more with each round"
    world.check()
