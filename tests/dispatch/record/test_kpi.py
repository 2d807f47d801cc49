"""KPIs on a day small enough to follow with a pencil."""

from __future__ import annotations

import dataclasses
import json

import pytest

from dispatch.inputs import OrderCancelled
from dispatch.model import Order, Rider, Shift, Store
from dispatch.policies.nearest import Nearest
from dispatch.policies.policy import SimplePolicy
from dispatch.record.catalogue import Catalogue, Pay
from dispatch.record.kpi import decisions, kpis
from dispatch.record.lives import RiderDay
from dispatch.record.travel_spec import StraightSpec
from routing.places import PlaceBook
from sim.replay.replay import replay
from sim.scenario import Demand, Scenario
from tests.kit.days import lived

T0 = 1_700_000_040

# One rider at x = 0, the store at 600 m, doors at 1200 m and 1800 m; ten metres a second, rounds every full minute.
# 30 s before and 20 s after each act; the shift lasts two hours.
SETTINGS = {"rules.round_mode": "beat", "rules.round_s": 60, "rules.route_ack_timeout_s": 0}


def town(*demand, per_order=3.0):
    book = PlaceBook("plane")
    for x, stop_s in ((600, (30, 20)), (0, (0, 0)), (1200, (30, 20)), (1800, (30, 20))):
        book.add(0.0, float(x), enter_s=stop_s[0], exit_s=stop_s[1])
    catalogue = Catalogue(
        name="street",
        begin_at=T0,
        places=book,
        stores=(Store("s", 0),),
        riders=(Rider("r", 1, profile="car"),),
        shifts=(Shift("r", T0, T0 + 7200),),
        travel=StraightSpec({"car": 600.0}),
        pay=Pay(per_order=per_order, guaranteed_per_hour=2.0),
    )
    orders = tuple(
        Demand(Order(name, "s", place, T0 + placed, T0 + ready, T0 + due), T0 + ready, cancelled)
        for name, place, placed, ready, due, cancelled in demand
    )
    return Scenario(catalogue, orders)


def figures(scenario, policy=None):
    settings = scenario.catalogue.settings.with_values(SETTINGS)
    return replay(scenario, policy or Nearest(), settings=settings)


class Together(SimplePolicy):
    """Everything open goes to the first rider in one trip."""

    name = "together"

    def decide(self, view):
        plan = view.new_plan()
        if view.open_orders and view.idle_riders:
            plan.give(view.idle_riders[0], list(view.open_orders))
        return plan


def test_one_order_from_click_to_door():
    run = figures(town(("a", 2, 0, 300, 500, None)))
    life = run.folded.orders["a"]
    summary = run.summary
    # Sent to the store at 0, there at 60; the order is settled at pickup: told and picked up at 300, left at 320, at
    # the door at 380, delivered at 410.
    assert (life.told_at - T0, life.picked_up_at - T0, life.delivered_at - T0) == (300, 300, 410)
    assert summary["click_to_door_mean_s"] == 410
    assert summary["ready_to_pickup_mean_s"] == 0
    assert summary["ready_to_door_mean_s"] == 110
    assert (summary["on_time_share"], summary["lateness_mean_s"]) == (1.0, 0)
    # 60 + 60 s driven; 50 s of service at each of two stops; two hours of shift; 2 an hour are guaranteed.
    assert summary["driven_s_per_order"] == 120
    # 600 m to the store and 600 m to the door, at 170 g a kilometre.
    assert summary["driven_m_per_order"] == 1200
    assert summary["co2_g_per_order"] == pytest.approx(1.2 * 170)
    assert summary["utilisation"] == pytest.approx((120 + 100) / 7200, abs=1e-4)
    assert summary["orders_per_rider_hour"] == 0.5
    assert summary["cost_per_order"] == 4.0
    day = run.folded.riders["r"]
    assert (day.waited_s, day.stops, day.empty_moves, day.delivered) == (300 - 90, 2, 0, 1)


def test_work_beyond_a_shift_counts_in_the_time_that_utilisation_divides_by():
    """A shift of 150 s: to the store until 60, wait until 100, leave at 120, at the door 180, free again at 230."""
    day = town(("a", 2, 0, 100, 900, None))
    catalogue = dataclasses.replace(day.catalogue, shifts=(Shift("r", T0, T0 + 150),))
    run = figures(dataclasses.replace(day, catalogue=catalogue))
    rider = run.folded.riders["r"]
    assert (rider.busy_s, rider.shift_s, rider.beyond_shift_s) == (120 + 100, 150, 230 - 150)
    assert run.summary["utilisation"] == pytest.approx(220 / 230, abs=1e-4)
    # Pay and orders an hour still go by the shift.
    assert run.summary["orders_per_rider_hour"] == 24


def test_work_between_two_shifts_lies_beyond_both():
    rider = RiderDay(Rider("r", 0), 0, shifts=[Shift("r", 100, 200), Shift("r", 300, 400, 420)])
    for begin, end in ((50, 120), (190, 310), (330, 430), (150, 160), (500, 500)):
        rider._worked(begin, end)
    # 50 to 100, 200 to 300, 420 to 430.
    assert rider.beyond_shift_s == 50 + 100 + 10
    rider.log_off(350)
    rider._worked(340, 360)
    assert rider.beyond_shift_s == 160 + 10


def test_late_orders_and_pay_by_the_piece():
    summary = figures(town(("a", 2, 0, 0, 150, None), per_order=9.0)).summary
    # At the store at 60, picked up at 90, at the door at 170, delivered at 200: 50 s late.
    assert (summary["on_time_share"], summary["lateness_mean_s"]) == (0.0, 50)
    assert summary["ready_to_pickup_mean_s"] == 90
    assert summary["cost_per_order"] == 9.0


def test_two_orders_on_board_together_are_a_batch():
    run = figures(town(("a", 2, 0, 0, 900, None), ("b", 3, 0, 0, 900, None)), Together())
    assert run.summary["batched_share"] == 1.0
    assert {life.shared_with for life in run.folded.orders.values()} == {1}
    # 60 s to the store, 60 s to each of two doors.
    assert run.summary["driven_s_per_order"] == 90
    assert run.summary["driven_m_per_order"] == 900


def test_orders_one_after_the_other_are_none():
    run = figures(town(("a", 2, 0, 0, 900, None), ("b", 3, 0, 600, 1200, None)))
    assert run.summary["batched_share"] == 0.0
    assert run.summary["delivered"] == 2


def test_cancelled_orders_are_counted_apart():
    summary = figures(town(("a", 2, 0, 3000, 3600, T0 + 120), ("b", 3, 0, 0, 900, None))).summary
    assert (summary["orders"], summary["delivered"], summary["cancelled"], summary["undelivered"]) == (2, 1, 1, 0)
    assert summary["on_time_share"] == 1.0


def test_an_order_nobody_can_fetch_is_undelivered():
    summary = figures(town(("a", 2, 0, 8000, 9000, None))).summary
    assert (summary["delivered"], summary["undelivered"]) == (0, 1)
    assert summary["click_to_door_mean_s"] is None
    assert summary["cost_per_order"] is None
    assert summary["on_time_share"] == 0.0


def test_a_cancellation_after_pickup_comes_back():
    run = figures(town(("a", 2, 0, 60, 900, T0 + 130)))
    # Picked up at 90; cancelled on the way to the door: the goods go back to the store.
    assert run.folded.orders["a"].state.value == "returned"
    assert (run.summary["undelivered"], run.summary["cancelled"]) == (1, 0)


def test_the_percentile_is_that_of_the_list():
    demand = [(f"o{k}", 2, 60 * k, 60 * k, 60 * k + 900, None) for k in range(5)]
    run = figures(town(*demand))
    doors = sorted(life.click_to_door_s for life in run.folded.orders.values())
    # Linear interpolation: position .9 * (5 - 1) = 3.6 between the fourth and the fifth.
    assert run.summary["click_to_door_p90_s"] == pytest.approx(doors[3] + 0.6 * (doors[4] - doors[3]))


def test_folding_the_journal_again_gives_the_same_figures():
    scenario = town(("a", 2, 0, 300, 500, None), ("b", 3, 60, 400, 900, None))
    run, heard = lived(scenario, Nearest())
    again = kpis(scenario.catalogue, heard)
    assert again.summary() == run.folded.summary()


def test_the_digest_changes_with_a_decision_and_only_then():
    one = figures(town(("a", 2, 0, 300, 500, None))).summary["decision_digest"]
    same = figures(town(("a", 2, 0, 300, 900, None))).summary["decision_digest"]
    other = figures(town(("a", 3, 0, 300, 500, None))).summary["decision_digest"]
    assert one == same != other


def test_decisions_name_who_where_and_what():
    scenario = town(("a", 2, 0, 300, 500, None))
    _, heard = lived(scenario, Nearest(), settings=scenario.catalogue.settings.with_values(SETTINGS))
    told = [json.loads(line) for line in decisions(heard)]
    assert told[0][:2] == [T0, "r"]
    assert [place for place, _ in told[-1][2]] == [0, 2]
    assert [order for _, acts in told[-1][2] for order, _ in acts] == ["a", "a"]
    assert decisions(heard, before=T0) == []


def test_what_was_refused_is_counted():
    scenario = town(("a", 2, 0, 0, 900, None))
    late = OrderCancelled(at=T0 + 3000, order_id="a")
    run = figures(Scenario(scenario.catalogue, scenario.demand, news=(late,)))
    assert (run.refusals, run.summary["delivered"]) == (1, 1)
