"""Where the minutes went: five parts that add up to the second, each between instants of its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatch.model import Order, OrderState
from dispatch.record.anatomy import PARTS, Anatomy, anatomy_of, load_factor
from dispatch.record.lives import OrderLife
from tests.kit.world import World, catalogue_of, folded


def life(ready_s: int, fetched_s: int, delivered_s: int, **more: object) -> OrderLife:
    """An order placed at 0, as it went."""
    order = Order("o", "s", 0, placed_at=0, expected_ready_at=ready_s, due_at=1800)
    return OrderLife(
        order, OrderState.DELIVERED, rider_id="a", picked_up_at=fetched_s, delivered_at=delivered_s, **more
    )  # type: ignore[arg-type]


def test_each_part_is_what_its_definition_says() -> None:
    # Ready at 600; its rider sets off at 660, is there at 900, hands over from 1040 (60 s before) to 1100, leaves at
    # 1130, brings another first, sets off at 1400, is at the door at 1700 and hands over at 1760.
    found = anatomy_of(life(600, 1100, 1760, to_store=(660, 900), to_door=(1400, 1700)), 60, 30)
    assert found == Anatomy(
        kitchen_s=600,
        waiting_s=60,
        driving_s=(900 - 660) + (1700 - 1400),
        batching_s=(1040 - 900) + (1400 - 1130),
        handover_s=60 + 30 + 60,
    )


def test_a_rider_who_waits_for_the_kitchen_costs_the_kitchen() -> None:
    found = anatomy_of(life(600, 660, 1000, to_store=(100, 300), to_door=(690, 970)), 60, 30)
    assert found == Anatomy(kitchen_s=600, waiting_s=0, driving_s=280, batching_s=0, handover_s=60 + 30 + 30)


def test_of_an_order_not_delivered_nothing_is_said() -> None:
    order = Order("o", "s", 0, placed_at=0, expected_ready_at=0, due_at=0)
    assert anatomy_of(OrderLife(order), 60, 60) is None


INSTANT = st.integers(-500, 5000)
WAY = st.one_of(st.none(), st.tuples(INSTANT, INSTANT))


@given(INSTANT, st.one_of(st.none(), INSTANT), st.integers(0, 5000), WAY, WAY, st.integers(0, 900), st.integers(0, 900))
def test_it_adds_up_whatever_clocks_say(ready, fetched, delivered, to_store, to_door, enter_s, exit_s) -> None:
    one = life(ready, fetched, delivered, to_store=to_store, to_door=to_door)
    found = anatomy_of(one, enter_s, exit_s)
    assert sum(found) == one.click_to_door_s
    assert min(found) >= 0 and found._fields == PARTS


def test_it_adds_up_on_a_day_of_the_engine() -> None:
    world = World()
    world.store("s", 300, 0)
    for name in "ab":
        world.rider(name, 0, 0, hours=24)
    for n in range(9):
        world.order(f"o{n}", "s", 300 + 150 * n, 80 * n, ready_s=60 * n)
    world.deliver_all()
    fold = folded(world, catalogue_of(world))
    parts = [fold.anatomy_of(one) for one in fold.orders.values()]
    assert [sum(part) for part in parts] == [one.click_to_door_s for one in fold.orders.values()]
    assert sum(part.driving_s for part in parts) > 0 and sum(part.handover_s for part in parts) >= 9 * 120
    assert sum(part.batching_s for part in parts) > 0, "nine orders for two riders share trips"
    summary = fold.summary()
    means = [summary[f"{part[:-2]}_mean_s"] for part in PARTS]
    assert abs(sum(means) - summary["click_to_door_mean_s"]) < 0.01


def test_the_load_factor_counts_a_riders_loaded_time_once() -> None:
    # Two orders on board together from 200 to 300, alone before and after: 200 + 200 bag-seconds in 300 seconds.
    assert load_factor([life(0, 100, 300), life(0, 200, 400)]) == round(400 / 300, 4)
    assert load_factor([]) is None
