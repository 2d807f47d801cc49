"""The three baselines on drawn cities, against brute force, and on a whole day under audit; loading one's own."""

from __future__ import annotations

import itertools
import random

import pytest

from dispatch.errors import InvalidPlan
from dispatch.policies.batch import WAITING_PRICE, Batch, bundled, delay_s
from dispatch.policies.greedy import Greedy
from dispatch.policies.nearest import Nearest
from dispatch.policies.policy import SimplePolicy
from dispatch.policies.view import View
from dispatch.rounds.legs import travel_block
from halfhour.policies import BUILT_IN, choose
from halfhour.replaying import replay
from routing.errors import InvalidInput
from tests.kit.world import World


def world_of(policy, **settings) -> World:
    """A world in which the policy answers rounds, under the settings it asks for."""
    wanted = policy.configure(World().settings)
    values = {key.replace(".", "__"): value for key, value in wanted.changed().items()}
    world = World(**{**values, "rules__round_mode": "beat", "rules__round_s": 60, **settings})
    world.policy = policy
    return world


def view_of(world: World) -> View:
    """The round that opens next."""
    frozen = []
    answer = world.policy.answer

    class Peek:
        name = "peek"

        def answer(self, round_, times):
            frozen.append(View(round_, travel_block(round_, times)))
            return answer(round_, times)

    world.policy = Peek()
    world.until(60)
    return frozen[0]


def riders_of(world: World, *order_ids: str) -> list[str | None]:
    """Whose route each order is on, None for nobody's."""
    on_route = {
        act.order_id: rider_id
        for rider_id, record in world.board.riders.items()
        for stop in record.route.stops
        for act in stop.acts
    }
    return [on_route.get(order_id) for order_id in order_ids]


def test_nearest_goes_by_the_order_of_arrival():
    # Store at 0; riders 100 m and 200 m away (20 s, 40 s).  The first order gets the nearer rider, whatever follows.
    world = world_of(Nearest())
    world.store("s", 0, 0)
    world.rider("far", 200, 0)
    world.rider("near", -100, 0)
    world.order("first", "s", 500, 0)
    world.order("second", "s", 0, 500)
    world.until(60)
    assert riders_of(world, "first", "second") == ["near", "far"]


def test_greedy_takes_the_best_pair_first():
    # a: riders at 900 m (180 s) and 1,000 m (200 s).  b: the first rider at 300 m (60 s), the second at 2,200 m.
    # By arrival a gets the first rider; the best pair is b and the first.
    layout = (("x", 900, 0), ("y", -1_000, 0))
    chosen = {}
    for policy in (Nearest(), Greedy()):
        world = world_of(policy)
        world.store("s", 0, 0)
        world.store("t", 1_200, 0)
        for rider, x, y in layout:
            world.rider(rider, x, y)
        world.order("a", "s", 0, 500)
        world.order("b", "t", 1_200, 500)
        world.until(60)
        chosen[policy.name] = riders_of(world, "a", "b")
    assert chosen == {"nearest": ["x", "y"], "greedy": ["y", "x"]}


@pytest.mark.parametrize("seed", range(12))
def test_batch_finds_the_least_total_of_all_assignments(seed):
    chance = random.Random(seed)
    world = world_of(Batch())
    for s in range(3):
        world.store(f"s{s}", chance.randrange(3_000), chance.randrange(3_000))
    for r in range(3):
        world.rider(f"r{r}", chance.randrange(3_000), chance.randrange(3_000), hours=chance.choice([0.05, 2]))
    for o in range(chance.randrange(1, 7)):
        place = (chance.randrange(3_000), chance.randrange(3_000))
        world.order(f"o{o}", f"s{chance.randrange(3)}", *place, ready_s=chance.randrange(600))
    view = view_of(world)
    bundles, riders = bundled(view), view.riders
    price = [[delay_s(view, rider, bundle) for rider in riders] for bundle in bundles]

    def total(choice: tuple[int, ...]) -> int | None:
        """`choice[b]`: the rider of bundle b, or one past the last for nobody."""
        taken = [r for r in choice if r < len(riders)]
        if len(set(taken)) < len(taken):
            return None
        parts = [WAITING_PRICE * len(bundles[b]) if r == len(riders) else price[b][r] for b, r in enumerate(choice)]
        return None if None in parts else sum(parts)  # type: ignore[arg-type]

    every = [total(choice) for choice in itertools.product(range(len(riders) + 1), repeat=len(bundles))]
    plan = Batch().decide(view)
    index_of = {rider.index: r for r, rider in enumerate(riders)}
    given = {trip[0].index: index_of[v] for v, trips in plan._trips.items() for trip in trips}
    found = total(tuple(given.get(bundle[0].index, len(riders)) for bundle in bundles))
    assert found == min(value for value in every if value is not None)


def test_batch_bundles_only_where_orders_outnumber_idle_riders():
    world = world_of(Batch())
    world.store("s", 0, 0)
    for r in range(2):
        world.rider(f"r{r}", 100 * r, 0)
    world.order("a", "s", 500, 0)
    world.order("b", "s", 500, 100)
    assert [len(bundle) for bundle in bundled(view_of(world))] == [1, 1]
    crowded = world_of(Batch())
    crowded.store("s", 0, 0)
    crowded.rider("r", 100, 0)
    crowded.order("a", "s", 500, 0)
    crowded.order("b", "s", 100, 100)
    (bundle,) = bundled(view_of(crowded))
    assert [order.order_id for order in bundle] == ["b", "a"]  # the nearer door first


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name != "halfhour"])
def test_every_baseline_keeps_every_law_on_a_whole_day(certain_day, name):
    done = replay(certain_day, policy=name, audit=True)
    assert done.run.violations == []
    assert done.summary["counts"].get("contradicted_reports", 0) == 0
    assert done.summary["delivered"] >= 40
    if name == "batch":
        assert done.summary["batched_share"] > 0


@pytest.mark.parametrize("seed", range(3))
def test_a_day_with_luck_is_answered_to_its_end(small_day, seed):
    done = replay(small_day, policy="batch", seed=seed)
    assert done.summary["complete"] and done.summary["delivered"] >= 40


def test_a_rider_who_falls_behind_gives_back_what_he_cannot_fetch():
    # Last pickup at 600 s.  They are told to fetch the order at once (ready at 500 s), but sit at the
    # store's door only after the last second: the order is open again, and the round is answered all the same.
    world = world_of(Nearest())
    world.store("s", 0, 0)
    world.rider("late", 100, 0, hours=600 / 3600)
    world.order("a", "s", 500, 0, ready_s=500)
    world.until(60)
    assert riders_of(world, "a") == ["late"]
    world.until(700)
    world.order("b", "s", 500, 0)
    world.rider("fresh", 200, 0)
    world.until(840)
    assert riders_of(world, "b") == ["fresh"]


def test_a_plan_against_the_law_is_refused_by_name():
    class Reckless(Nearest):
        name = "reckless"

        def decide(self, view):
            plan = view.new_plan()
            if view.open_orders:
                plan.give(view.riders[0], view.open_orders)
            return plan

    world = world_of(Reckless(), rules__max_batch=1)
    world.store("s", 0, 0)
    world.rider("r", 0, 100)
    world.order("a", "s", 500, 0)
    world.order("b", "s", 500, 50)
    with pytest.raises(InvalidPlan) as found:
        world.until(60)
    assert found.value.details["rider_id"] == "r"


# --- loading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given_back", [None, 3, {}])
def test_a_decision_that_is_no_plan_is_said_so(certain_day, given_back):
    class Absent(SimplePolicy):
        name = "absent"

        def decide(self, view):
            return given_back

    with pytest.raises(InvalidInput, match="policy absent gave back") as found:
        replay(certain_day, policy=Absent())
    assert found.value.code == "invalid_policy"


def test_built_in_policies_by_name():
    assert [choose(name).policy.name for name in BUILT_IN] == list(BUILT_IN)


def test_one_recipe_for_halfhour_alone():
    settings = choose("halfhour", recipe="insertion").policy.configure(World().settings)
    assert settings.search.recipe == "insertion"


@pytest.mark.parametrize(
    ("text", "wanted", "part"),
    [
        ("class Mine:\n    pass\n", "Mine", "no name and no configure and no answer"),
        ("Mine = 3\n", "Mine", "no class Mine"),
        ("class Other:\n    pass\n", "Mine", "no class Mine"),
        ("import nothing_of_that_name\n", "Mine", "ModuleNotFoundError"),
        ("\n\nclass Mine(:\n", "Mine", "line 3"),
        ("x = 1\ny = x / 0\n", "Mine", "line 2"),
    ],
)
def test_a_file_that_is_no_policy(tmp_path, text, wanted, part):
    file = tmp_path / "my.py"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=r".") as found:
        choose(f"{file}:{wanted}")
    assert found.value.code == "invalid_policy"
    assert part in str(found.value)


def test_a_file_without_a_class_named(tmp_path):
    with pytest.raises(InvalidInput, match="names no class"):
        choose(str(tmp_path / "my.py"))
