"""Classes of goods: what one line of `rules.mix` lets ride together, from the words to the bag."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from dispatch import codec
from dispatch import inputs as i
from dispatch.errors import InvalidSetting, Refused
from dispatch.model import ActKind, Order, Store
from dispatch.settings.mix import USUAL_CLASS, mix_rule
from dispatch.settings.settings import Settings
from routing.problem.problem import Mix, TripRule
from tests.kit.world import T0, World

MEAL_OR_SHOP = "hot_food: same_store; grocery, parcel: any"


def city(mix: str) -> World:
    """Two stores side by side, doors a kilometre further, one rider."""
    world = World(rules__mix=mix, rules__max_batch=4)
    world.store("s", 0, 0)
    world.store("t", 60, 0)
    world.rider("a", 0, 0)
    return world


def placed(world: World, *orders: tuple[str, str, str]) -> None:
    """Orders (id, store, class) for doors next to each other."""
    for k, (order_id, store_id, goods_class) in enumerate(orders):
        world.order(order_id, store_id, 1000, 30 * k, goods_class=goods_class)


def together(world: World) -> set[tuple[str, str]]:
    """Pairs of orders that are on board at the same time by the plan of now."""
    pairs: set[tuple[str, str]] = set()
    for rider_id in world.board.riders:
        orders = world.board.orders.items()
        bag = [order_id for order_id, one in orders if one.state.is_on_board and one.rider_id == rider_id]
        for stop in world.route(rider_id).stops:
            for act in stop.acts:
                if act.kind is ActKind.DROP:
                    bag.remove(act.order_id)
                else:
                    pairs |= {tuple(sorted((act.order_id, other))) for other in bag}  # type: ignore[misc]
                    bag.append(act.order_id)
    return pairs


@pytest.mark.parametrize(
    ("mix", "classes", "may"),
    [
        ("any", ("hot_food", "grocery"), True),
        ("same_store", ("grocery", "grocery"), False),
        (MEAL_OR_SHOP, ("grocery", "parcel"), True),
        (MEAL_OR_SHOP, ("hot_food", "grocery"), False),
        (MEAL_OR_SHOP, ("", "grocery"), False),  # the usual class is hot food
        (MEAL_OR_SHOP, ("frozen", "grocery"), True),  # not named: any
        ("hot_food: any; others: alone", ("hot_food", "frozen"), False),
        ("medicine: alone", ("medicine", "medicine"), False),
        ("frozen: own_class", ("frozen", "frozen"), True),
        ("frozen: own_class", ("frozen", "grocery"), False),
        ("frozen, ice: own_class", ("frozen", "ice"), False),
    ],
)
def test_two_orders_of_two_stores_ride_together_where_the_line_lets_them(mix, classes, may):
    world = city(mix)
    placed(world, ("x", "s", classes[0]), ("y", "t", classes[1]))
    world.until(60)
    assert together(world) == ({("x", "y")} if may else set())
    assert {act.order_id for stop in world.route("a").stops for act in stop.acts} == {"x", "y"}


@pytest.mark.parametrize(("mix", "may"), [(MEAL_OR_SHOP, True), ("hot_food: alone", False), ("alone", False)])
def test_of_one_store_hot_food_rides_with_groceries_unless_it_rides_alone(mix, may):
    world = city(mix)
    placed(world, ("x", "s", "hot_food"), ("y", "s", "grocery"))
    world.until(60)
    assert together(world) == ({("x", "y")} if may else set())


def test_an_order_that_names_no_class_has_its_stores():
    world = city(MEAL_OR_SHOP)
    shop = world.board.stores["t"].store
    world.say(i.StoreListed(at=world.now, store=Store("t", shop.place, goods_class="grocery")))
    placed(world, ("x", "t", ""), ("y", "s", "parcel"))
    world.until(60)
    assert together(world) == {("x", "y")}


def test_goods_on_board_keep_others_away_and_a_day_ends_well():
    world = city(MEAL_OR_SHOP)
    placed(world, ("x", "s", "hot_food"))
    world.until(60)
    world.arrive("a")
    world.until(120)
    world.complete("a")
    placed(world, ("y", "t", "grocery"), ("z", "t", "parcel"))
    world.until(180)
    stops = world.route("a").stops
    assert [act.order_id for stop in stops[:1] for act in stop.acts] == ["x"] and together(world) == {("y", "z")}
    world.deliver_all()
    world.check()
    assert not world.board.open_orders


@pytest.mark.parametrize("mix", ["any", "same_store"])
def test_a_line_of_one_word_leaves_the_arrays_as_they_were(mix):
    world = city(mix)
    placed(world, ("x", "s", "hot_food"), ("y", "t", "grocery"))
    world.answers_rounds = False
    world.until(60)
    problem = world.engine.freeze().problem
    assert problem.goods.size == problem.mix.size == 0
    assert problem.trip_rule == (TripRule.ANY if mix == "any" else TripRule.ONE_STORE_UNTIL_EMPTY)
    assert type(problem.trip_rule) is int


@pytest.mark.parametrize(
    ("classes", "rule"),
    [(("hot_food", "hot_food"), TripRule.ONE_STORE_UNTIL_EMPTY), (("grocery", "parcel"), TripRule.ANY)],
)
def test_a_round_of_goods_under_one_word_is_planned_as_under_that_word_alone(classes, rule):
    world = city(MEAL_OR_SHOP)
    placed(world, ("x", "s", classes[0]), ("y", "t", classes[1]))
    world.answers_rounds = False
    world.until(60)
    problem = world.engine.freeze().problem
    assert (problem.trip_rule, problem.goods.size) == (rule, 0)


def naive(line: dict[str, str], one: str, other: str) -> Mix:
    """The stricter of two words, spelt out."""
    words = [line.get(name, line.get("others", "any")) for name in (one, other)]
    if "alone" in words or ("own_class" in words and one != other):
        return Mix.APART
    return Mix.ONE_STOP if "same_store" in words else Mix.TOGETHER


def test_the_matrix_says_of_every_two_orders_what_the_words_say():
    line = {"hot_food": "same_store", "frozen": "own_class", "ice": "own_class", "medicine": "alone", "others": "any"}
    world = city("; ".join(f"{name}: {word}" for name, word in line.items()))
    classes = ["hot_food", "frozen", "ice", "medicine", "grocery", "parcel", "hot_food", "frozen"]
    placed(world, *((f"o{k}", "s", name) for k, name in enumerate(classes)))
    world.answers_rounds = False
    world.until(60)
    problem = world.engine.freeze().problem
    assert problem.trip_rule == TripRule.ANY and len(problem.mix) == 5  # grocery and parcel are treated alike
    for a, b in itertools.combinations(range(len(classes)), 2):
        assert problem.mix[problem.goods[a], problem.goods[b]] == naive(line, classes[a], classes[b])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sometimes", "'sometimes' says nothing of classes"),
        ("hot_food: sometimes", "'sometimes' is no rule for goods"),
        ("Hot food: any", "'Hot food' is no name"),
        ("hot_food: any; hot_food: alone", "hot_food stands twice"),
        ("own_class", "'own_class' says nothing of classes"),
        ("a, b, c, d, e: own_class", "at most 4"),
        ("others: own_class", "at most 4"),
        ("", "says nothing of classes"),
    ],
)
def test_a_line_that_means_nothing_is_refused_in_words(text, says):
    with pytest.raises(InvalidSetting, match=says) as refused:
        Settings().with_values({"rules.mix": text})
    assert refused.value.details["field"] == "rules.mix" and "hot_food: same_store" in refused.value.hint


@pytest.mark.parametrize("scope", ["any", "same_store"])
def test_the_former_setting_means_all_classes(scope):
    for settings in (
        Settings.stated({"rules.batch_scope": scope}),
        Settings().with_values({"rules.batch_scope": scope}),
    ):
        assert settings.rules.mix == scope and mix_rule(settings.rules.mix).everywhere == scope
    assert Settings.stated({}).rules.mix == "same_store"  # what a file of 0.1.0 leaves out


def test_an_unknown_class_is_refused_by_name_and_a_line_may_name_new_ones():
    world = city("any")
    with pytest.raises(Refused) as refused:
        placed(world, ("x", "s", "ice"))
    assert refused.value.code == "invalid_order" and refused.value.details["field"] == "goods_class"
    assert "'ice'" in refused.value.message and "grocery" in refused.value.hint
    placed(city("ice: alone"), ("x", "s", "ice"))


def test_an_order_whose_class_is_known_no_more_can_still_change():
    world = city("ice: alone")
    placed(world, ("x", "s", "ice"))
    world.say(i.SettingChanged(at=world.now, key="rules.mix", value="any"))
    order = world.board.orders["x"].order
    world.say(i.OrderChanged(at=world.now, order=replace(order, due_at=T0 + 900)))
    world.until(60)
    assert world.board.orders["x"].order.due_at == T0 + 900


def test_an_order_without_a_class_is_written_as_before():
    item = i.OrderPlaced(at=T0, order=Order("x", "s", 0, T0, T0, T0))
    assert "goods_class" not in str(codec.encode(item))
    named = i.OrderPlaced(at=T0, order=Order("x", "s", 0, T0, T0, T0, goods_class="grocery"))
    assert codec.decode_input(codec.encode(named)) == named
    assert USUAL_CLASS == "hot_food"
