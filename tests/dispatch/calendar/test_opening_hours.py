"""Opening hours: the text, the instants it stands for, and what the engine makes of them."""

from __future__ import annotations

import datetime
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import inputs as i
from dispatch.board.progress import OPEN_AHEAD_S
from dispatch.calendar.opening_hours import InvalidHours, parsed
from dispatch.model import OrderState, Reason, Store
from tests.kit.world import T0, World

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime.date(2026, 11, 23)


def clocks(text: str, first: datetime.date = MONDAY, days: int = 7) -> list[str]:
    """Spans as clocks in Berlin show them."""
    spans = parsed(text).spans(first, days, BERLIN)
    return ["-".join(f"{datetime.datetime.fromtimestamp(at, BERLIN):%a %H:%M}" for at in span) for span in spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mo 11:00-14:30,17:00-22:00", ["Mon 11:00-Mon 14:30", "Mon 17:00-Mon 22:00"]),
        ("Fr-Sa 18:00-02:00", ["Fri 18:00-Sat 02:00", "Sat 18:00-Sun 02:00"]),
        ("We 18:00-26:00", ["Wed 18:00-Thu 02:00"]),
        ("Sa-Mo 10:00-11:00", ["Mon 10:00-Mon 11:00", "Sat 10:00-Sat 11:00", "Sun 10:00-Sun 11:00"]),
        ("10:00-12:00; Tu-Su off", ["Mon 10:00-Mon 12:00"]),
        ("Mo-Tu 10:00-12:00; 2026-11-24 off", ["Mon 10:00-Mon 12:00"]),
        ("Mo off; 2026-11-25,2026-11-26 08:00-09:00", ["Wed 08:00-Wed 09:00", "Thu 08:00-Thu 09:00"]),
        ("Mo,Tu 00:00-24:00", ["Mon 00:00-Wed 00:00"]),
        ("24/7", ["Mon 00:00-Mon 00:00"]),
        ("off", []),
    ],
)
def test_a_text_stands_for_the_spans_that_people_mean(text: str, expected: list[str]) -> None:
    assert clocks(text) == expected


@pytest.mark.parametrize("first", [datetime.date(2026, 3, 28), datetime.date(2026, 10, 24)])
def test_on_days_when_clocks_are_changed_a_store_opens_by_the_clock(first: datetime.date) -> None:
    assert clocks("Sa,Su 18:00-02:30; Su 09:00-12:00", first, 2) == [
        "Sat 18:00-Sun " + ("03:30" if first.month == 3 else "02:30"),
        "Sun 09:00-Sun 12:00",
    ]


def test_a_night_with_an_hour_twice_is_an_hour_longer() -> None:
    (span,) = parsed("Sa 18:00-02:30").spans(datetime.date(2026, 10, 24), 1, BERLIN)
    assert span[1] - span[0] == 9.5 * 3600


@pytest.mark.parametrize(
    "text",
    ["", " ; ", "Mo", "Xx 10:00-12:00", "Mo 10-12", "Mo 25:00-26:00", "Mo 10:00-10:00", "Mo-Xx 10:00-11:00",
     "2026-02-30 off", "2026-12-24 off", "2026-12-24,2026-12-25 off; 2026-12-31 closed",
     "Mo 10:00-49:00", "PH off", "Mo 10:00-11:00 Tu 10:00-11:00", "Mo 10:60-11:00"],
)  # fmt: skip
def test_what_is_no_opening_hours_is_refused_with_how_to_write_them(text: str) -> None:
    with pytest.raises(InvalidHours) as problem:
        parsed(text)
    assert problem.value.details["field"] == "hours" and problem.value.hint


@pytest.mark.parametrize("text", ["PH off", "Mo-Su,PH 11:00-22:00", "Mo-Fr 10:00-20:00; SH off"])
def test_holidays_without_a_calendar_are_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidHours, match="holidays") as problem:
        parsed(text)
    assert "2026-12-25" in problem.value.hint


@given(spans=st.lists(st.tuples(st.integers(0, 500), st.integers(1, 200)), max_size=5), at=st.integers(-50, 900))
def test_opening_and_closing_are_those_of_the_spans(spans: list[tuple[int, int]], at: int) -> None:
    made, begin = [], 0
    for gap, length in spans:
        made.append((begin + gap, begin + gap + length))
        begin = made[-1][1] + 1
    store = Store("s", 0, spans=tuple(made), hours="some")
    open_at = [t for t in range(at, 1 + max([at, *(closes for _, closes in made)])) if any(o <= t < c for o, c in made)]
    assert store.opens_from(at) == (open_at[0] if open_at else None)
    inside = [closes for opens, closes in made if opens <= at < closes]
    assert store.closes_from(at) == (inside[0] if inside else None)


def test_hours_of_a_single_day_are_half_open_and_one_end_may_be_missing() -> None:
    store = Store("s", 0, opens_at=100, closes_at=200)
    assert [store.opens_from(at) for at in (0, 100, 199, 200)] == [100, 100, 199, None]
    assert Store("s", 0, opens_at=100).opens_from(50) == 100 and Store("s", 0).opens_from(50) == 50
    assert Store("s", 0, closes_at=200).opens_from(50) == 50 and Store("s", 0, closes_at=200).opens_from(200) is None


# --- the engine -----------------------------------------------------------------------------------------------------


def city(*spans: tuple[int, int], **settings: object) -> World:
    """A rider beside a store that is open in `spans` of seconds after T0."""
    world = World(**settings)
    world.store("s", 0, 0)
    world.rider("r", 300, 0)
    store = world.board.stores["s"].store
    open_ = tuple((T0 + opens, T0 + closes) for opens, closes in spans)
    world.say(i.StoreListed(at=world.now, store=replace(store, hours="some", spans=open_)))
    return world


@pytest.mark.parametrize("commit", ["last_moment", "at_once"])
def test_no_rider_waits_long_before_a_store_opens_and_nobody_fetches_before(commit: str) -> None:
    world = city((7200, 20_000), rules__commit=commit)
    world.order("o", "s", 900, 0, due_at=T0 + 9000)
    world.until(7200 - OPEN_AHEAD_S - 60)
    assert world.board.orders["o"].reason is Reason.STORE_CLOSED and not world.route("r").stops
    world.until(7200 - OPEN_AHEAD_S)
    assert world.board.orders["o"].planned_rider_id == "r"
    assert world.route("r").stops[0].expected_act_at == T0 + 7200
    world.deliver_all(20_000)
    assert world.state("o") is OrderState.DELIVERED
    assert world.board.orders["o"].picked_up_at >= T0 + 7200
    world.check()


def test_no_plan_fetches_after_closing_and_the_order_waits_for_the_next_opening() -> None:
    # 60 s to the store and 60 s to the counter: an order of 100 s before closing comes too late.
    world = city((0, 600), (50_000, 60_000))
    world.until(480)
    world.order("o", "s", 900, 0)
    world.until(540)
    assert not world.route("r").stops and world.board.orders["o"].reason is Reason.WINDOW
    world.until(660)
    assert world.board.orders["o"].reason is Reason.STORE_CLOSED


def test_who_was_told_before_closing_is_still_given_the_goods() -> None:
    world = city((0, 600), rules__commit="at_once")
    world.until(360)
    world.order("o", "s", 900, 0, ready_s=120)
    world.until(420)
    assert world.route("r").told
    world.until(900)  # late
    assert world.route("r").stops and world.board.orders["o"].reason is not Reason.STORE_CLOSED
    world.arrive("r")
    world.until(960)
    world.complete("r")
    assert world.state("o").is_on_board
    world.check()


def test_a_plan_that_slips_past_closing_is_taken_back() -> None:
    world = city((0, 2400), rules__commit="last_moment")
    world.order("o", "s", 900, 0, ready_s=2300)
    world.until(60)
    assert world.board.orders["o"].planned_rider_id == "r"
    world.say(i.ReadyEstimated(at=world.now, order_id="o", expected_ready_at=T0 + 2500))
    world.until(180)
    assert world.board.orders["o"].planned_rider_id is None
    assert world.board.orders["o"].reason is Reason.STORE_CLOSED
    world.check()


def test_a_store_closed_until_an_instant_is_gone_to_in_time_for_it() -> None:
    world = city((0, 90_000))
    world.say(i.StoreClosed(at=world.now, store_id="s", until=T0 + 3600))
    world.order("o", "s", 900, 0, due_at=T0 + 9000)
    world.until(3600 - OPEN_AHEAD_S)
    assert world.board.orders["o"].planned_rider_id == "r"
    assert world.route("r").stops[0].expected_act_at == T0 + 3600


def test_a_slow_store_is_as_fast_as_usual_again_when_it_said_so() -> None:
    world = city((0, 90_000))
    world.say(i.StoreThrottled(at=T0, store_id="s", delay_s=1200, until=T0 + 300))
    world.order("o", "s", 900, 0, ready_s=600)
    world.until(60)
    assert world.route("r").stops[0].expected_act_at == T0 + 1800
    world.until(360)
    assert world.route("r").stops[0].expected_act_at == T0 + 600


def test_nobody_moves_empty_to_a_store_that_is_closed() -> None:
    world = city((7200, 20_000), rules__empty_moves=True)
    assert world.engine.freeze().outlook.closes.tolist() == [0]
    world.until(7200)
    assert world.engine.freeze().outlook.closes.tolist() == [12_800]
