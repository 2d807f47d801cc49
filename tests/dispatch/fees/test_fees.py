"""Tariffs: what a text says, fees part by part, marginal costs worked out by hand, and that no decision hears of it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import InvalidSetting
from dispatch.fees.charging import charged
from dispatch.fees.marginal import added_by, fee_of
from dispatch.inputs import OrderPlaced
from dispatch.model import Fee, Order
from dispatch.record.by_kind import fee_lines
from dispatch.record.kpi import decisions
from dispatch.rounds.solve import solve_round
from dispatch.rounds.trial import frozen_with
from dispatch.settings.settings import Settings
from dispatch.settings.tariff import rounded, tariff_of
from sim.replay.quoting import quoted
from tests.kit.world import SPEED, T0, World, catalogue_of, folded

TARIFF = """
base 200; km 50        # both on one line
minute 6
peak 125: Mo-Su 00:00-24:00
tier gold: 0; tier plus: 50
least 100; most 700
cost order 30; cost hour 1800; cost km 10
"""
NOON = 1_772_535_600  # Tuesday 3 March 2026, 11:00 UTC


def test_a_text_is_read_as_written():
    tariff = tariff_of(TARIFF)
    assert tariff is not None
    assert (tariff.amount("base"), tariff.amount("cost km"), tariff.amount("most")) == (200, 10, 700)
    assert tariff.tiers == {"gold": 0, "plus": 50} and tariff.zone == "UTC"
    assert tariff_of("") is None and tariff_of("  # nothing\n") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("base", "'base' says nothing"),
        ("base x", "'x' is no whole number"),
        ("base -3", "'-3' is no whole number"),
        ("base 1; base 2", "'base 2' says nothing of a tariff, or says it twice"),
        ("tier gold: 2000", "'2000' is no whole number from 0 to 1000"),
        ("tier gold 5", "says nothing"),
        ("peak 120: noon", "noon"),
        ("peak 120", "says nothing"),
        ("zone Nowhere/Land; base 1", "Nowhere/Land"),
        ("least 9; most 8", "most 8 lies below least 9"),
    ],
)
def test_a_text_that_means_nothing_is_refused_in_words(text, says):
    with pytest.raises(InvalidSetting, match=says) as refused:
        Settings().with_values({"rules.tariff": text})
    assert refused.value.details["field"] == "rules.tariff"


def test_a_fee_is_the_sum_of_its_parts():
    tariff = tariff_of(TARIFF)
    fee = charged(tariff, way_m=2000, way_s=600, placed_at=NOON, tier="")
    assert fee == Fee(450, (("base", 200), ("distance", 100), ("time", 60), ("peak", 90)))
    plus = charged(tariff, way_m=2000, way_s=600, placed_at=NOON, tier="plus")
    assert plus == Fee(225, (*fee.parts, ("tier", -225)))
    gold = charged(tariff, way_m=2000, way_s=600, placed_at=NOON, tier="gold")
    assert gold.amount == 100 and dict(gold.parts)["bounds"] == 100
    assert charged(tariff, way_m=50_000, way_s=600, placed_at=NOON, tier="").amount == 700


@pytest.mark.parametrize(
    ("text", "hour", "percent"),
    [
        ("peak 125: Tu 11:00-12:00", 0, 125),
        ("peak 125: Tu 11:00-12:00", 3600, 100),
        ("peak 125: We 11:00-12:00", 0, 100),
        ("peak 125: Tu 12:00-13:00; zone Europe/Berlin", 0, 125),
        ("peak 125: Mo 22:00-12:00", 0, 125),
        ("peak 125: Tu 10:00-12:00; peak 150: Tu 11:00-11:30", 0, 150),
        ("peak 80: Tu 10:00-12:00", 0, 80),
    ],
)
def test_peaks_go_by_the_clocks_of_their_zone(text, hour, percent):
    tariff = tariff_of(f"base 100; {text}")
    assert charged(tariff, way_m=0, way_s=0, placed_at=NOON + hour, tier="").amount == percent


@given(part=st.integers(-(10**9), 10**9), whole=st.integers(1, 10**6))
def test_halves_are_rounded_up(part, whole):
    exact = Fraction(part, whole)
    assert rounded(part, whole) == (exact + Fraction(1, 2)).__floor__()


@given(
    way_m=st.integers(0, 100_000), way_s=st.integers(0, 20_000), at=st.integers(NOON, NOON + 10**6),
    tier=st.sampled_from(["", "gold", "plus", "gone"]),
)  # fmt: skip
def test_parts_add_up_and_a_fee_stays_within_its_bounds(way_m, way_s, at, tier):
    fee = charged(tariff_of(TARIFF), way_m=way_m, way_s=way_s, placed_at=at, tier=tier)
    assert sum(part for _, part in fee.parts) == fee.amount
    assert 100 <= fee.amount <= 700


def city() -> World:
    world = World(rules__tariff=TARIFF, rules__mix="any")
    world.store("s", 0, 0)
    world.rider("r", -500, 0)
    return world


def tried(world: World, order: Order):
    """What one order more adds, and the answer it was found in."""
    frozen = frozen_with(world.board, order, world.times, world.now, (60, 60))
    answer = solve_round(frozen, world.times, recipe="insertion")
    return added_by(frozen, answer, order.order_id, world.times)


def test_the_first_order_costs_the_whole_way():
    world = city()
    order = Order("o", "s", world.places.add(0, 900, enter_s=60, exit_s=60), T0, T0, T0 + 1800)
    added = tried(world, order)
    # 500 m to the store, 900 m to the door; a minute before and after the act at both.
    assert added == ((500 + 900) / SPEED * 60 + 240, 1400)
    fee = fee_of(world.board, order, world.times, T0, added)
    assert fee.cost == 30 + rounded(1800 * added.work_s, 3600) + 14
    assert fee.amount == charged(tariff_of(TARIFF), way_m=900, way_s=180, placed_at=T0, tier="").amount


def test_an_order_on_the_way_costs_its_stop_alone():
    world = city()
    world.order("far", "s", 900, 0, ready_s=600)
    world.until(60)
    near = Order("near", "s", world.places.add(0, 600, enter_s=60, exit_s=60), world.now, T0 + 600, T0 + 1800)
    assert tried(world, near) == (120, 0)
    assert tariff_of(TARIFF).cost(1, 120, 0) == 30 + 60


def test_nobody_in_reach_is_charged_but_has_no_cost():
    world = World(rules__tariff=TARIFF)
    world.store("s", 0, 0)
    order = Order("o", "s", world.places.add(0, 900), T0, T0, T0 + 1800)
    added = tried(world, order)
    assert added is None
    assert fee_of(world.board, order, world.times, T0, added).cost is None


def test_a_tariff_changes_no_decision_and_its_fees_are_told():
    days = []
    for tariff in ("", TARIFF):
        world = World(rules__tariff=tariff)
        world.store("s", 0, 0)
        world.rider("r", -500, 0)
        for k in range(4):
            place = world.places.add(100 * k, 900, enter_s=60, exit_s=60)
            order = Order(f"o{k}", "s", place, world.now, world.now + 60, world.now + 1800)
            item = OrderPlaced(at=world.now, order=order)
            if tariff:
                item = quoted(item, world.board, world.times, says_when=False, by_rule=False)
            world.say(item)
        world.deliver_all()
        days.append(world)
    assert decisions(days[0].journal) == decisions(days[1].journal)
    lives = list(folded(days[1], catalogue_of(days[1])).orders.values())
    days[1].check()
    fees = [record.fee for record in days[1].board.orders.values()]
    assert [life.fee for life in lives] == fees and all(fee.cost is not None for fee in fees)
    lines = fee_lines(lives)
    assert lines["fee_mean"] == sum(fee.amount for fee in fees) / 4
    assert lines["losing_share"] == sum(fee.amount < fee.cost for fee in fees) / 4
    assert all(record.fee is None for record in days[0].board.orders.values())
    assert fee_lines(folded(days[0], catalogue_of(days[0])).orders.values())["fee_mean"] is None
