"""Member tiers: what a line of `rules.tiers` gives, and that nobody is passed over for ever."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.errors import InvalidSetting, Refused
from dispatch.model import Reason
from dispatch.record.by_kind import by_kind
from dispatch.record.lives import OrderLife
from dispatch.rounds.order_prices import order_prices
from dispatch.settings.settings import Settings
from dispatch.settings.tiers import MOST_PERCENT, Tier, counted_due_at, late_percent, promise_of, tiers_of
from tests.kit.world import T0, World

GOLD = "gold: promise 1200, late 300, ahead 600; plus: late 150"


def test_a_line_is_read_as_written():
    assert tiers_of(GOLD) == {"gold": Tier(1200, 300, 600), "plus": Tier(None, 150, 0)}
    assert tiers_of("") == {}
    assert [promise_of(GOLD, tier, 1800) for tier in ("gold", "plus", "", "gone")] == [1200, 1800, 1800, 1800]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gold", "says nothing of tier gold"),
        ("gold: shiny 3", "'shiny 3' says nothing"),
        ("gold: late x", "'late x' says nothing"),
        ("gold: late 300, late 200", "'late 200' says nothing"),
        ("gold: late 99", "late of tier gold is 99"),
        ("gold: promise 59", "promise of tier gold is 59"),
        ("gold: ahead 3601", "ahead of tier gold is 3601"),
        ("gold: late 300; gold: late 200", "'gold' stands twice"),
        ("Gold: late 300", "'Gold' is no name"),
    ],
)
def test_a_line_that_means_nothing_is_refused_in_words(text, says):
    with pytest.raises(InvalidSetting, match=says) as refused:
        Settings().with_values({"rules.tiers": text})
    assert refused.value.details["field"] == "rules.tiers"


def fields_of(world: World) -> dict[str, np.ndarray]:
    records = list(world.board.in_play.values())
    placed = np.array([record.order.placed_at - world.board.now for record in records], dtype=np.int64)
    return order_prices(world.board, records, placed)._asdict()


def test_prices_of_each_tier_are_what_the_line_says():
    world = World(rules__tiers=GOLD, prices__late_fixed=1000)
    world.store("s", 0, 0)
    for tier in ("", "plus", "gold"):
        world.order(f"o{tier}", "s", 900, 0, tier=tier, priority=1 if tier == "plus" else 0)
    prices, fields = world.settings.prices, fields_of(world)
    for row, percent, weight in ((0, 100, 1), (1, 150, 2), (2, 300, 1)):
        late, fail = prices.late_per_s * percent // 100, prices.fail_per_s * percent // 100
        assert fields["slope"][row].tolist() == [weight * each for each in (prices.door_per_s, late, fail)]
        assert fields["late_fixed"][row].tolist() == [
            weight * each * percent // 100 for each in (1000, prices.fail_fixed)
        ]
        assert fields["skip_cost"][row] == weight * prices.unserved * percent // 100


def test_without_tiers_no_wait_changes_a_price():
    world = World()
    world.store("s", 0, 0)
    world.order("o", "s", 900, 0, priority=3)
    before = fields_of(world)
    world.until(7200)
    after = fields_of(world)
    assert (before["slope"] == after["slope"]).all() and (before["late_fixed"] == after["late_fixed"]).all()
    prices = world.settings.prices
    assert before["slope"].tolist() == [[4 * prices.door_per_s, 4 * prices.late_per_s, 4 * prices.fail_per_s]]


@given(late_s=st.integers(-9999, 99_999), bound_s=st.integers(0, 9999), tier=st.sampled_from(["", "plus", "gold"]))
def test_beyond_its_bound_nobody_counts_less_than_the_highest_tier(late_s, bound_s, tier):
    percent = late_percent(GOLD, tier, late_s, bound_s)
    if late_s <= bound_s:
        assert percent == {"": 100, "plus": 150, "gold": 300}[tier]
    else:
        assert 300 <= percent <= MOST_PERCENT and percent >= late_percent(GOLD, tier, late_s - 1, bound_s)
        assert percent == late_percent(GOLD, "", late_s, bound_s)
    assert late_percent("", "", late_s, bound_s) == 100


@settings(max_examples=25, deadline=None)
@given(due=st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(["", "plus", "gold"])), min_size=4, max_size=12))
def test_under_shortage_an_order_is_passed_over_only_by_what_is_due_soon_after_it(due):
    world = World(rules__tiers=GOLD, rules__max_open_orders=3)
    world.store("s", 0, 0)
    world.rider("a", 0, 0)
    for k, (due_s, tier) in enumerate(due):
        world.order(f"o{k}", "s", 500 + k, 0, due_at=T0 + due_s, tier=tier)
    world.answers_rounds = False
    world.until(60)
    frozen = world.engine.freeze()
    orders = {name: record.order for name, record in world.board.orders.items()}
    chosen = set(frozen.ids.order_ids)
    assert len(chosen) == 3
    for name in orders.keys() - chosen:
        for other in chosen:
            assert orders[other].due_at <= orders[name].due_at + 600
            assert counted_due_at(GOLD, orders[other].tier, orders[other].due_at) <= counted_due_at(
                GOLD, orders[name].tier, orders[name].due_at
            )


def first_fetched(waited_s: int, bound_s: int) -> str:
    """Of a plain order that has waited and a gold one that has just come, the one that the only rider fetches first."""
    values = {"prices.late_from": "promise", "prices.late_fixed": 60_000, "rules.max_batch": 1}
    world = World(rules__tiers="gold: late 1000", rules__passed_over_s=bound_s, **values)
    world.store("s", 0, 0)
    world.order("plain", "s", 900, 0, due_at=T0 + 600)
    world.until(waited_s)
    world.order("gold", "s", 900, 10, due_at=world.now + 700, tier="gold")
    world.rider("a", 0, 0)
    world.until(waited_s + 60)
    return world.route("a").stops[0].acts[0].order_id


def test_nobody_starves_behind_a_stream_of_gold():
    # A gold order that comes second misses its promise by five minutes, at ten times the price.
    assert first_fetched(1200, 600) == "gold"
    assert first_fetched(2400, 600) == "plain"  # 1200 s beyond its promise and bound
    assert first_fetched(2400, 86_400) == "gold"


def test_an_unknown_tier_is_refused_by_name():
    world = World(rules__tiers=GOLD)
    world.store("s", 0, 0)
    with pytest.raises(Refused) as refused:
        world.order("o", "s", 900, 0, tier="silver")
    assert refused.value.details["field"] == "tier" and refused.value.hint == "rules.tiers names gold, plus."
    with pytest.raises(Refused):
        plain = World()
        plain.store("s", 0, 0)
        plain.order("o", "s", 900, 0, tier="gold")


def test_figures_of_each_tier_are_those_of_its_orders():
    world = World(rules__tiers=GOLD)
    world.store("s", 0, 0)
    world.rider("a", 0, 0)
    for k, tier in enumerate(("gold", "", "gold")):
        world.order(f"o{k}", "s", 600, 100 * k, tier=tier, due_at=T0 + 400 + 2000 * (k > 0))
    world.deliver_all()
    lives = [
        OrderLife(record.order, state=record.state, delivered_at=record.ended_at)
        for record in world.board.orders.values()
    ]
    found = by_kind(lives)
    assert set(found) == {"by_tier"} and set(found["by_tier"]) == {"gold", "none"}
    gold = found["by_tier"]["gold"]
    late = [max(0, life.delivered_at - life.order.due_at) for life in lives if life.order.tier]
    assert gold["orders"] == gold["delivered"] == 2 and gold["lateness_max_s"] == max(late)
    assert gold["on_time_share"] == sum(each == 0 for each in late) / 2
    assert by_kind([replace(life, order=replace(life.order, tier="")) for life in lives]) == {}
    assert world.board.orders["o0"].reason in (None, Reason.SERVED)
