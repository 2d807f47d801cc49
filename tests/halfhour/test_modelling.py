"""`halfhour.Model`: what is said in Python is what is planned, and answered in the user's own ids."""

from __future__ import annotations

import pytest

import halfhour
from halfhour import Pause, Stay
from halfhour.modelling import Incumbent
from routing.errors import InvalidInput


def square() -> halfhour.Model:
    """One vehicle at the origin, four corners a hundred apart."""
    model = halfhour.Model()
    model.add_vehicle_type(start=(0, 0), end=(0, 0))
    for name, spot in (("a", (100, 0)), ("b", (100, 100)), (("c", 3), (0, 100))):
        model.add_job(name, location=spot, service=10)
    return model


def test_a_tour_by_hand():
    # Once around the square, 400 m at a metre a second, three stops of 10 s.
    plan = square().solve(work=500)
    (route,) = plan.routes
    assert (plan.cost, plan.complete, route.distance, route.driving) == (400, True, 400, 400)
    assert [visit.id for visit in route.visits] in (["a", "b", ("c", 3)], [("c", 3), "b", "a"])
    assert [(visit.arrives, visit.begins, visit.leaves) for visit in route.visits] == [
        (100, 100, 110), (210, 210, 220), (320, 320, 330)
    ]  # fmt: skip
    assert (route.starts, route.ends, route.vehicle_type, route.vehicle) == (0, 430, 0, 0)


def test_shipments_breaks_and_reasons():
    model = halfhour.Model()
    model.set_matrix([[0, 100, 200], [100, 0, 100], [200, 100, 0]])
    model.add_vehicle_type(start=0, capacity=1, window=(0, 500), breaks=[Pause(50, [(120, 130)])])
    model.add_shipment(7, pickup=Stay(1), delivery=Stay(2), amount=1)
    model.add_job("heavy", location=1, delivery=2)
    plan = model.solve(work=500)
    assert plan.unassigned == {"heavy": "CAPACITY"}
    assert [(v.kind, v.id, v.begins) for v in plan.routes[0].visits] == [
        ("pickup", 7, 100), ("break", None, 120), ("delivery", 7, 250)
    ]  # fmt: skip


def test_types_count_their_vehicles_and_penalties_are_added_up():
    model = halfhour.Model()
    model.set_matrix([[0, 60], [60, 0]], distances=[[0, 1000], [1000, 0]])
    model.add_vehicle_type(2, start=0, fixed=500, capacity=1)
    model.add_vehicle_type(2, start=0, capacity=1, per_hour=0, per_km=3)
    for name in range(3):
        model.add_job(name, location=1, delivery=1)
    model.add_job("dear", location=1, delivery=1, penalty=100)
    plan = model.solve(work=3000)
    # The two without a fixed price cost 3 each, one of the others 560; the fourth job is not worth another 560.
    assert sorted((route.vehicle_type, route.cost) for route in plan.routes) == [(0, 560), (1, 3), (1, 3)]
    assert (plan.cost, plan.penalty, plan.unassigned) == (566, 100, {"dear": "TOO_DEAR"})


def test_every_better_plan_is_seen_and_rules_end_the_search():
    seen: list[Incumbent] = []
    model = halfhour.Model()
    model.add_vehicle_type(start=(0, 0), end=(0, 0))
    for k in range(40):
        model.add_job(k, location=(k * 7919 % 1000, k * 104729 % 1000))
    plan = model.solve(time_limit=60, stop=[lambda best, _: best is not None], on_incumbent=seen.append)
    assert [one.cost for one in seen] == sorted((one.cost for one in seen), reverse=True)
    assert plan.cost <= seen[-1].cost
    again = model.solve(work=10, warm_start=plan)
    assert again.cost <= plan.cost
    assert halfhour.target(plan.cost)(Incumbent(0, plan.cost, 1.0), 1.0)
    assert not halfhour.target(plan.cost)(Incumbent(1, plan.cost, 1.0), 1.0)
    assert halfhour.no_improvement(2)(Incumbent(1, 5, 1.0), 3.0)
    assert not halfhour.no_improvement(2)(Incumbent(1, 5, 1.5), 3.0)


def test_what_a_model_cannot_be_is_named():
    model = square()
    with pytest.raises(InvalidInput, match="added before"):
        model.add_job("a", location=(1, 1))
    with pytest.raises(InvalidInput, match="0 vehicles"):
        model.add_vehicle_type(0)
    model.add_job("late", location=(5, 5), windows=[(9, 1)])
    with pytest.raises(InvalidInput) as caught:
        model.solve(work=10)
    assert caught.value.details["field"] == "jobs[3].time_windows[0]"


def test_what_follows_what_and_how_many_go_out():
    model = square()
    model.add_vehicle_type(2, start=(0, 0), end=(0, 0))
    model.add_shipment("parcel", pickup=Stay((0, 50)), delivery=Stay((50, 0)), after=["b"])
    model.add_job("last", location=(50, 50), after=["parcel", ("c", 3)])
    model.set_fleet(max_vehicles=1)
    plan = model.solve(work=2000)
    order = [(visit.kind, visit.id) for visit in plan.routes[0].visits]
    assert plan.complete and len(plan.routes) == 1
    assert order.index(("pickup", "parcel")) > order.index(("job", "b"))
    assert order[-1] == ("job", "last")
    model.set_fleet(min_vehicles=3)
    assert len(model.solve(work=2000).routes) == 3
    assert len(model.solve(work=100, warm_start=plan).routes) == 3
    model.set_fleet(per_hour_of_longest=360_000)
    long = max(route.ends - route.starts for route in model.solve(work=2000).routes)
    assert long < plan.routes[0].ends
    model.add_job("odd", location=(1, 1), after=["nothing"])
    with pytest.raises(InvalidInput, match="was not added"):
        model.solve(work=10)


def test_vehicles_come_back_to_load():
    model = halfhour.Model()
    model.set_matrix([[0, 10, 20], [10, 0, 10], [20, 10, 0]])
    model.add_vehicle_type(start=0, end=0, capacity=1, max_reloads=1, reload_service=5)
    for name, spot in (("near", 1), ("far", 2)):
        model.add_job(name, location=spot, delivery=1)
    plan = model.solve(work=500)
    assert [visit.kind for visit in plan.routes[0].visits] == ["job", "reload", "job"]
    assert (plan.complete, plan.cost, plan.routes[0].visits[1].id) == (True, 60, None)
    assert model.solve(work=1, warm_start=plan).cost == 60


def test_a_plan_can_be_drawn():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = square().solve(work=100).plot()
    assert len(axes.lines) == 1
    assert len(axes.lines[0].get_xdata()) == 5
