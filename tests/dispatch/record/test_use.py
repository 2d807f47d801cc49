"""CO2 and use of the fleet: rates, shares that lose nothing, figures by tenant by hand, the price of a gram."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import events as e
from dispatch.errors import InvalidSetting
from dispatch.inputs import TravelChanged
from dispatch.policies.policy import HalfhourPolicy
from dispatch.record.story import tell
from dispatch.rounds.freeze import freeze
from dispatch.rounds.leg_metres import with_metres
from dispatch.settings.co2 import USUAL, Emission, line_of, rates_of, table_of
from dispatch.settings.settings import Settings
from tests.kit.world import World, catalogue_of, folded

CO2 = "default: 100 + 10; bike: 0"


def test_a_line_is_read_as_written():
    assert rates_of("car: 170; van, truck: 180.5 + 1.25") == {
        "car": Emission(170_000, 0), "van": Emission(180_500, 1_250), "truck": Emission(180_500, 1_250),
    }  # fmt: skip
    assert rates_of("") == {} and table_of(USUAL)["scooter"] == 70.0


@given(st.dictionaries(st.sampled_from(["car", "van", "bike", "foot"]), st.floats(0, 9999).map(lambda x: round(x, 3))))
def test_a_table_and_its_line_say_the_same(table):
    said = table_of(line_of(table))
    assert said.keys() == table.keys()
    assert all(said[name] == pytest.approx(grams, rel=1e-5, abs=1e-3) for name, grams in table.items())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("car", "'car' says no grams"),
        ("car: x", "says no grams"),
        ("car: 1 + ", "says no grams"),
        ("car: 20000", "more than 10000"),
        ("car: 1; car: 2", "'car' stands twice"),
        (": 5", "names no profile"),
    ],
)
def test_a_line_that_means_nothing_is_refused_in_words(text, says):
    with pytest.raises(InvalidSetting, match=says) as refused:
        Settings().with_values({"rules.co2": text})
    assert refused.value.details["field"] == "rules.co2"


class Metred(HalfhourPolicy):
    """The planner's answers with the metres of their legs, as hosts give them."""

    def answer(self, frozen, times):
        return with_metres(frozen, super().answer(frozen, times), times)


def city(**settings) -> World:
    """A store, and a rider 300 m from it."""
    world = World(**settings)
    world.policy = Metred()
    world.store("s", 0, 0)
    world.rider("r", -300, 0)
    return world


def day(**settings) -> World:
    """Two orders of one store, brought in one trip by one rider: 300 m to the store, 600 m and 300 m to the doors."""
    world = city(rules__co2=CO2, rules__mix="any", **settings)
    world.order("a", "s", 600, 0, tenant="acme", load_units=2)
    world.order("b", "s", 900, 0, tenant="bistro", load_units=3)
    world.deliver_all()
    return world


def test_each_way_is_shared_among_those_it_was_for():
    world = day()
    arrived = [event for _, events in world.journal for event in events if isinstance(event, e.RiderArrived)]
    # Empty to the store: 300 m at 100 g/km.  Both on board, 5 units: 600 m at 150.  One left, 3 units: 300 m at 130.
    assert [dict(event.co2_mg) for event in arrived] == [
        {"a": 15_000, "b": 15_000}, {"a": 45_000, "b": 45_000}, {"b": 39_000},
    ]  # fmt: skip
    assert {key: world.board.orders[key].co2_mg for key in "ab"} == {"a": 60_000, "b": 99_000}
    world.check()


def test_figures_of_tenants_add_up_to_the_day():
    world = day()
    fold = folded(world, catalogue_of(world))
    summary = fold.summary()
    tenants = summary["by_tenant"]
    acme, bistro = tenants["acme"], tenants["bistro"]
    assert (acme["driven_m"], bistro["driven_m"], tenants["nobody"]["driven_m"]) == (450, 750, 0)
    assert (acme["co2_g"], bistro["co2_g"]) == (60.0, 99.0)
    assert summary["co2_g_per_order"] == 79.5 == (acme["co2_g"] + bistro["co2_g"]) / 2
    assert summary["co2_g_by_load"] == {"0": 30.0, "2": 90.0, "1": 39.0}
    # Acme: half of 60 s empty, half of 120 s loaded with two.
    assert acme["empty_share"] == round(30 / 90, 4) and acme["load_factor"] == 2.0
    assert bistro["load_factor"] == round((120 * 2 + 60) / 180, 4)
    # Two minutes of driving each way and stops: a minute before and after the acts.
    assert acme["minutes"] == (30 + 60 + 60 + 120) / 60
    driven_s = sum(rider.driven_s for rider in fold.riders.values())
    served_s = sum(rider.served_s + rider.waited_s for rider in fold.riders.values())
    total = sum(figures["minutes"] for figures in tenants.values())
    assert total == pytest.approx((driven_s + served_s) / 60, abs=0.2)
    assert (
        fold.use_by("store")["s"]["orders"] == 2
        and sum(zone["delivered"] for zone in fold.use_by("zone").values()) == 2
    )


def test_a_story_says_what_was_driven_for_an_order():
    story = tell(day().journal, "b")
    assert story.facts["co2_g"] == 99.0 and any("99 g of CO2 were driven for it" in line.text for line in story.lines)


def test_without_rates_the_catalogue_counts_and_events_say_nothing():
    world = city()
    world.order("a", "s", 600, 0)
    world.deliver_all()
    assert all(
        event.co2_mg == () for _, events in world.journal for event in events if isinstance(event, e.RiderArrived)
    )
    summary = folded(world, catalogue_of(world, co2_g_per_km={"default": 100.0})).summary()
    assert summary["co2_g_per_order"] == 90.0 and "co2_g_by_load" not in summary and "by_tenant" not in summary


@given(price=st.integers(0, 100_000), grams=st.integers(0, 10_000))
def test_a_metre_costs_what_its_grams_cost(price, grams):
    world = city(rules__co2=f"default: {grams}", prices__co2_g=price, prices__drive_per_metre=7)
    (found,) = freeze(world.board).problem.per_metre.tolist()
    assert abs(found - 7 - price * grams / 1000) <= 0.5
    assert isinstance(found, int) and np.dtype(np.int64) == freeze(world.board).problem.per_metre.dtype


def test_a_price_of_co2_gives_orders_to_those_who_emit_less():
    given = {}
    for price in (0, 1_000):
        world = World(rules__co2=CO2, prices__co2_g=price)
        world.times = type(world.times)(world.places, {"default": 300.0, "bike": 300.0})
        world.say(TravelChanged(at=world.now, version=2, digest="two", profiles=("default", "bike")))
        world.store("s", 0, 0)
        world.rider("near", -300, 0)
        world.rider("clean", -450, 0, profile="bike")
        world.order("o", "s", 600, 0)
        world.deliver_all()
        given[price] = world.board.orders["o"].carried_by
    assert given == {0: "near", 1_000: "clean"}
