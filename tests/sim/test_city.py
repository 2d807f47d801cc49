"""The city by hand: a route is shown, and what the rider does with it comes out as reports."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from dispatch import inputs as i
from dispatch.events import OfferMade, RiderDone, RouteRevised, StoreStateSet
from dispatch.model import Act, ActKind, Level, Offer, Order, Rider, Route, Shift, Stop, Store
from dispatch.record.catalogue import Catalogue
from dispatch.record.travel_spec import StraightSpec
from routing.places import PlaceBook
from sim.heap import EventHeap
from sim.scenario import Demand, Reality, Scenario
from sim.world.city import City
from sim.world.luck import Luck

T0 = 1_700_000_040
SPEED = 600.0
"""Metres a minute: ten a second, so that coordinates in tens of metres read as seconds."""

# y = 0 everywhere.  The rider stands at x = 0, the store at 600 m (60 s away), doors at 1200 m and 1500 m.
STORE, RIDER, NEAR, FAR = range(4)


def town(reality=None, start_at=T0):
    """One store, one rider, two orders ready at T0 + 300 and T0 + 400; 30 s before and 20 s after each act."""
    book = PlaceBook("plane")
    for x, enter_s, exit_s in ((600, 30, 20), (0, 0, 0), (1200, 30, 20), (1500, 30, 20)):
        book.add(0.0, float(x), enter_s=enter_s, exit_s=exit_s)
    catalogue = Catalogue(
        name="town",
        begin_at=T0,
        places=book,
        stores=(Store("s", STORE),),
        riders=(Rider("r", RIDER),),
        shifts=(Shift("r", start_at, T0 + 7200),),
        travel=StraightSpec({"default": SPEED}),
    )
    demand = tuple(
        Demand(Order(name, "s", place, T0, T0 + ready_s, T0 + 1800), T0 + ready_s)
        for name, place, ready_s in (("near", NEAR, 300), ("far", FAR, 400))
    )
    return Scenario(catalogue, demand, reality or Reality())


class Street:
    """A city without an engine: routes are shown by the test, reports are written down."""

    def __init__(self, scenario=None, seed=1):
        scenario = scenario or town()
        self.heap = EventHeap()
        times = scenario.catalogue.travel.bind(scenario.catalogue.places)
        self.city = City(scenario, times, Luck(seed), self.heap)
        self.city.begin(report_ready=False)
        self.heard = []
        self.revision = 0

    def show(self, at, *stops):
        self.revision += 1
        self.hear(at, RouteRevised(at=T0 + at, route=Route("r", self.revision, stops), told=True))

    def hear(self, at, *events):
        self.city.hear(events, T0 + at)

    def until(self, at):
        """Let everything happen up to an instant, that of the instant included."""
        while self.heap.next_at is not None and self.heap.next_at <= T0 + at:
            now, what = self.heap.pop()
            if isinstance(what, i.Input):
                self.heard.append(what)
            else:
                what(now)

    def told(self, kind):
        return [item for item in self.heard if isinstance(item, kind)]

    def instants(self, kind):
        return [item.happened_at - T0 for item in self.told(kind)]


def stop(name, place, *acts, store_id=None, level=Level.TOLD):
    return Stop(name, place, store_id, level, acts, 0, 0, 0, 0, 0)


def pick(order_id, level=Level.TOLD):
    return Act(order_id, ActKind.PICKUP, level)


def drop(order_id):
    return Act(order_id, ActKind.DROP, Level.TOLD)


def test_an_errand_takes_the_time_it_takes():
    street = Street()
    street.show(0, stop("r.1", STORE, pick("near"), store_id="s"), stop("r.2", NEAR, drop("near")))
    street.until(1000)
    # 60 s to the store; 30 s to enter, ready at 300; 20 s to leave; 60 s to the door at 380; 30 s to the bell.
    assert street.instants(i.StopArrived) == [60, 380]
    assert street.instants(i.StopCompleted) == [300, 410]
    assert [done.order_ids for done in street.told(i.StopCompleted)] == [("near",), ("near",)]
    assert street.instants(i.RouteSeen) == [0]


def test_he_waits_for_orders_that_are_not_told_yet():
    street = Street()
    street.show(0, stop("r.1", STORE, pick("near", Level.TENTATIVE), store_id="s"))
    street.until(500)
    assert street.told(i.StopCompleted) == []
    street.show(500, stop("r.1", STORE, pick("near"), store_id="s"))
    street.until(1000)
    assert street.instants(i.StopCompleted) == [500]


def test_the_latest_route_counts_until_the_goods_change_hands():
    street = Street()
    street.show(0, stop("r.1", STORE, pick("near"), store_id="s"))
    street.until(200)
    street.show(200, stop("r.1", STORE, pick("near"), pick("far"), store_id="s"))
    street.until(1000)
    assert street.instants(i.StopCompleted) == [400]
    assert street.told(i.StopCompleted)[0].order_ids == ("near", "far")


def test_an_order_told_at_the_instant_of_the_handover_still_comes_along():
    street = Street()
    street.show(0, stop("r.1", STORE, pick("near"), store_id="s"))
    while street.heap.next_at < T0 + 300:
        street.until(street.heap.next_at - T0)
    street.show(300, stop("r.1", STORE, pick("near"), pick("far"), store_id="s"))
    street.until(1000)
    assert street.told(i.StopCompleted)[0].order_ids == ("near", "far")


def test_an_empty_move_ends_where_it_leads():
    street = Street()
    street.show(0, stop("r.1", STORE))
    street.until(60)
    street.hear(60, RiderDone(at=T0 + 60, rider_id="r", stop_id="r.1", place=STORE, free_at=T0 + 60))
    street.until(100)
    assert street.told(i.StopCompleted) == []
    street.show(100, stop("r.2", NEAR, drop("near")))
    street.until(160)
    assert street.instants(i.StopArrived) == [60, 160]


def test_sent_on_from_a_stop_without_work_he_says_so_and_goes():
    street = Street()
    street.show(0, stop("r.1", STORE, pick("near", Level.TENTATIVE), store_id="s"))
    street.until(100)
    street.show(100, stop("r.1", STORE), stop("r.2", FAR))
    street.until(300)
    assert [(done.stop_id, done.order_ids) for done in street.told(i.StopCompleted)] == [("r.1", ())]
    assert street.instants(i.StopArrived) == [60, 190]


def test_turned_round_on_the_way_he_drives_on_from_there():
    street = Street()
    street.show(0, stop("r.1", NEAR))
    street.until(40)
    street.show(40, stop("r.2", STORE))
    street.until(300)
    # At 40 s they are at x = 400; the store at 600 m lies 20 s ahead.
    assert street.instants(i.StopArrived) == [60]
    assert street.told(i.StopArrived)[0].stop_id == "r.2"


def test_a_withdrawn_route_stops_him():
    street = Street()
    street.show(0, stop("r.1", NEAR))
    street.until(40)
    street.show(40)
    street.until(300)
    assert street.told(i.StopArrived) == []


def test_a_route_for_later_is_seen_when_the_shift_starts():
    street = Street(town(start_at=T0 + 100))
    street.show(0, stop("r.1", STORE))
    street.until(300)
    assert street.instants(i.RouteSeen) == [100]
    assert street.instants(i.StopArrived) == [160]


def test_an_older_route_than_the_one_shown_is_ignored():
    street = Street()
    street.show(0, stop("r.1", STORE))
    street.city.hear((RouteRevised(at=T0, route=Route("r", 0, (stop("r.0", FAR),)), told=True),), T0)
    street.until(300)
    assert [arrived.stop_id for arrived in street.told(i.StopArrived)] == ["r.1"]


def test_goods_that_another_has_taken_are_missing():
    scenario = town()
    catalogue = scenario.catalogue
    second = dataclasses.replace(
        catalogue, riders=(*catalogue.riders, Rider("q", RIDER)), shifts=(*catalogue.shifts, Shift("q", T0, T0 + 7200))
    )
    street = Street(dataclasses.replace(scenario, catalogue=second))
    errand = stop("r.1", STORE, pick("near"), store_id="s")
    street.show(0, errand)
    street.until(250)
    street.hear(
        250, RouteRevised(at=T0 + 250, route=Route("q", 1, (dataclasses.replace(errand, stop_id="q.1"),)), told=True)
    )
    street.until(1000)
    assert [(item.rider_id, item.order_ids) for item in street.told(i.StopCompleted)] == [("r", ("near",))]
    assert [(item.rider_id, item.reason) for item in street.told(i.StopFailed)] == [("q", "goods_missing")]


def off_at(scenario, seconds):
    """The same town, in which the rider takes their last goods at T0 + seconds."""
    shifts = (Shift("r", T0, T0 + seconds),)
    return dataclasses.replace(scenario, catalogue=dataclasses.replace(scenario.catalogue, shifts=shifts))


@pytest.mark.parametrize(
    ("last_s", "taken", "left"),
    [
        (400, [(400, ("near", "far"))], []),
        (399, [(399, ("near",))], [(399, ("far",))]),
        (299, [], [(299, ("near", "far"))]),
        # They are there at 60 and need 30 s to enter: too late for anything.
        (80, [], [(90, ("near", "far"))]),
    ],
)
def test_at_his_last_pickup_he_takes_what_is_ready_and_waits_no_longer(last_s, taken, left):
    street = Street(off_at(town(), last_s))
    street.show(0, stop("r.1", STORE, pick("near"), pick("far"), store_id="s"))
    street.until(1000)
    assert [(done.happened_at - T0, done.order_ids) for done in street.told(i.StopCompleted)] == taken
    failed = street.told(i.StopFailed)
    assert [(item.happened_at - T0, item.order_ids) for item in failed] == left
    assert {item.reason for item in failed} <= {"shift_over"}


def test_a_store_that_stays_shut_does_not_hold_him_beyond_his_shift():
    street = Street(off_at(town(), 700))
    street.show(0, stop("r.1", STORE, pick("near"), store_id="s"))
    street.until(100)
    street.hear(100, StoreStateSet(at=T0 + 100, store_id="s", closed_until=2**62, delay_s=0))
    street.until(1000)
    assert [(item.happened_at - T0, item.reason) for item in street.told(i.StopFailed)] == [(700, "shift_over")]


def test_a_shut_store_hands_out_nothing_until_it_opens():
    street = Street()
    street.show(0, stop("r.1", STORE, pick("near"), store_id="s"))
    street.until(100)
    street.hear(100, StoreStateSet(at=T0 + 100, store_id="s", closed_until=2**62, delay_s=0))
    street.until(900)
    assert street.told(i.StopCompleted) == []
    street.hear(900, StoreStateSet(at=T0 + 900, store_id="s", closed_until=None, delay_s=0))
    street.until(1000)
    assert street.instants(i.StopCompleted) == [900]


def test_an_absent_customer_is_waited_for_and_keeps_nothing():
    street = Street(town(Reality(absent_share=1.0, absent_wait_s=200)))
    street.show(0, stop("r.1", STORE, pick("near"), store_id="s"), stop("r.2", NEAR, drop("near")))
    street.until(1000)
    failed = street.told(i.StopFailed)
    assert [(item.reason, item.order_ids, item.happened_at - T0) for item in failed] == [
        ("customer_absent", ("near",), 410 + 200)
    ]
    # Back to the store, which always takes its goods: 20 s, 60 s, 30 s after 610.
    street.show(700, stop("r.3", STORE, drop("near"), store_id="s"))
    street.until(1000)
    assert street.instants(i.StopCompleted) == [300, 790]


@pytest.mark.parametrize(("share", "kind"), [(0.0, i.OfferAccepted), (1.0, i.OfferDeclined)])
def test_an_offer_is_answered(share, kind):
    street = Street(town(Reality(decline_share=share, answer_s=7)))
    street.hear(0, OfferMade(at=T0, offer=Offer("f1", "r", ("near",), T0 + 40)))
    street.until(40)
    assert [(item.offer_id, item.at - T0) for item in street.told(kind)] == [("f1", 7)]


def test_a_silent_rider_does_not_answer():
    street = Street(town(Reality(silent_share=1.0)))
    street.hear(0, OfferMade(at=T0, offer=Offer("f1", "r", ("near",), T0 + 40)))
    street.until(100)
    assert street.heard == []


def test_positions_come_at_their_cadence_and_lie_on_the_way():
    street = Street(town(Reality(position_every_s=10)))
    street.show(0, stop("r.1", NEAR))
    seen = []
    for at in range(0, 60, 10):
        street.until(at + 9)
        seen.append(street.city.positions.pop("r"))
    assert [round(position.second) for position in seen] == [10 * (position.seen_at - T0) for position in seen]
    assert {later.seen_at - sooner.seen_at for sooner, later in itertools.pairwise(seen)} == {10}


def test_positions_lie_on_the_way_though_the_engine_moves_his_place_with_them():
    scenario = town(Reality(position_every_s=10))
    street = Street(scenario)
    street.show(0, stop("r.1", NEAR))
    for at in range(0, 60, 10):
        street.until(at + 9)
        seen = street.city.positions.pop("r")
        assert round(seen.second) == 10 * (seen.seen_at - T0)
        scenario.catalogue.places.move(RIDER, seen.first, seen.second)


def test_lost_positions_do_not_arrive():
    street = Street(town(Reality(position_every_s=10, position_loss=1.0)))
    street.until(500)
    assert street.city.positions == {}


def test_late_reports_keep_their_order_and_their_instants():
    street = Street(town(Reality(report_delay_s=120)))
    street.show(0, stop("r.1", STORE, pick("near"), store_id="s"), stop("r.2", NEAR, drop("near")))
    street.until(5000)
    reports = [item for item in street.heard if isinstance(item, i.StopArrived | i.StopCompleted)]
    assert [item.happened_at - T0 for item in reports] == [60, 300, 380, 410]
    assert all(item.at >= item.happened_at for item in reports)
    assert any(item.at > item.happened_at for item in reports)


def test_noise_changes_the_day_and_the_seed_repeats_it():
    noisy = town(Reality(travel_sigma=0.4, service_sigma=0.3, ready_sigma_s=60))

    def arrivals(scenario, seed):
        street = Street(scenario, seed)
        street.show(0, stop("r.1", STORE, pick("near"), store_id="s"), stop("r.2", NEAR, drop("near")))
        street.until(3000)
        return street.instants(i.StopArrived) + street.instants(i.StopCompleted)

    assert arrivals(noisy, 1) == arrivals(town(noisy.reality), 1)
    assert arrivals(noisy, 1) != arrivals(noisy, 2)
    assert arrivals(noisy, 1) != arrivals(town(), 1)
