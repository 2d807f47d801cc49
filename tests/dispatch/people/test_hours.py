"""Hours and rest by law: what a line says, what it leaves of a shift, and that plans and breaks keep to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import events as e
from dispatch import inputs as i
from dispatch.errors import InvalidSetting
from dispatch.model import Shift
from dispatch.people.hours import LEAVES_S, Hours, HoursRule, Span, hours_of, hours_rule, span_of
from dispatch.record.people.hours_audit import HoursAudit
from dispatch.settings.settings import Settings
from sim.replay.answer_audit import audit_answer
from tests.dispatch.people.days import lived
from tests.kit.world import T0, World

LINE = "shift 36000; rest 39600; stretch 16200; break 1800: 7200-21600"
H = 3600


# --- the line -------------------------------------------------------------------------------------------------------


def test_a_line_says_what_it_limits() -> None:
    assert hours_rule("") == HoursRule()
    assert hours_rule(LINE) == HoursRule(36_000, 39_600, 16_200, 1_800, (7_200, 21_600))
    assert hours_rule("stretch 7200; break 600").window is None
    assert Settings().with_values({"rules.hours": LINE}).rules.hours == LINE


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("stretch 7200", "break"),
        ("break 600", "window"),
        ("break 600: 7200", "window"),
        ("break 600: 7200-3600", "window"),
        ("shift 36000; shift 36000", "says nothing"),
        ("shift ten", "says nothing"),
        ("shift 36000: 1-2", "says nothing"),
        ("shift 60", "between"),
        ("nap 600", "says nothing"),
        ("shift 36000;", "says nothing"),
    ],
)
def test_a_line_that_says_nothing_is_refused_in_words(line: str, word: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        Settings().with_values({"rules.hours": line})
    assert word in refused.value.message and refused.value.details["field"] == "rules.hours" and refused.value.hint


# --- the arithmetic, against a twin that counts seconds ---------------------------------------------------------------


def counted(rule: HoursRule, shift: Shift, worked: tuple[Span, ...], breaks: tuple[Span, ...]) -> Hours:
    """The same second by second: duty, stretch and the break of a duty as they begin."""
    spans = [*worked, span_of(shift)]
    rests = [span for span in breaks if span[1] - span[0] >= rule.break_s > 0]
    last = max([shift.start_at, *(end for _, end in rests)])
    duty = fresh = off_s = 0
    gone_at, paused = None, False
    for second in range(min(begin for begin, _ in spans), last + 1):
        on_duty = any(begin <= second < end for begin, end in spans) or second == shift.start_at
        if on_duty and (gone_at is None or off_s >= rule.rest_s):
            if gone_at is None or off_s:
                duty = fresh = second
                paused = False
        elif on_duty and rule.break_s and off_s >= rule.break_s:
            fresh = second
            paused = paused or (rule.window is not None and gone_at - duty >= rule.window[0])
        if on_duty:
            off_s, gone_at = 0, second + 1
        elif second < shift.start_at:
            off_s += 1
        fresh = max([fresh, *(end for begin, end in rests if end == second and begin >= duty)])
    if rule.window is not None:
        paused = paused or any(begin >= duty + rule.window[0] for begin, _ in rests)
    by, opens = [], []
    if rule.stretch_s is not None:
        by.append(fresh + rule.stretch_s)
        opens.append(fresh + rule.stretch_s // 2)
    if rule.window is not None and not paused:
        by.append(duty + rule.window[1])
        opens.append(duty + rule.window[0])
    ends = [] if rule.shift_s is None else [duty + rule.shift_s]
    until = min([*by, *ends], default=None)
    if not by or min(by) >= min([span_of(shift)[1], *ends]):
        return Hours(duty, fresh, until, None, None)
    return Hours(duty, fresh, until, min(max(opens), min(by)), min(by))


LENGTHS = st.integers(1, 30)


@st.composite
def histories(draw: Any) -> tuple[HoursRule, Shift, tuple[Span, ...], tuple[Span, ...]]:
    """Shifts one after the other, breaks within the last one, and a rule of the same size."""
    at, spans = draw(st.integers(0, 5)), []
    for _ in range(draw(st.integers(1, 4))):
        begin = at + draw(st.integers(1, 20))
        at = begin + draw(LENGTHS)
        spans.append((begin, at))
    *worked, (begin, end) = spans
    breaks, free = [], begin
    for _ in range(draw(st.integers(0, 3))):
        first = free + draw(st.integers(0, 8))
        free = first + draw(st.integers(1, 8))
        breaks.append((first, free))
    first = draw(st.integers(0, 15))
    rule = HoursRule(
        draw(st.none() | LENGTHS),
        draw(st.integers(8, 20)),
        draw(st.none() | LENGTHS),
        draw(st.integers(1, 8)),
        draw(st.none() | st.just((first, first + draw(st.integers(1, 20))))),
    )
    return rule, Shift("r", begin, end, end), tuple(worked), tuple(breaks)


@given(histories())
def test_what_is_left_is_what_counting_seconds_says(history: Any) -> None:
    assert hours_of(*history) == counted(*history)


def test_a_day_by_hand() -> None:
    rule, shift = hours_rule(LINE), Shift("r", 0, 11 * H, 12 * H)
    left = hours_of(rule, shift, (), ())
    # 4.5 hours at a stretch; a break begins from half of it on, or from two hours after the beginning.
    assert left == Hours(0, 0, 16_200, 8_100, 16_200)
    left = hours_of(rule, shift, (), ((3 * H, 3 * H + 1800),))
    # Taken after three hours: the next stretch ends at 3.5 + 4.5 = 8 hours, duty at ten.
    assert (left.works_until, left.break_by) == (8 * H, 8 * H)
    left = hours_of(rule, shift, (), ((3 * H, 3 * H + 1800), (7 * H, 7 * H + 1800)))
    assert (left.works_until, left.break_by) == (10 * H, None), "the shift may last ten hours"
    # Eight hours off are no rest: the duty of before goes on.
    left = hours_of(rule, Shift("r", 14 * H, 18 * H, 18 * H), ((0, 6 * H),), ())
    assert (left.duty_from, left.works_until) == (0, 10 * H)


# --- in a city --------------------------------------------------------------------------------------------------------


def city(line: str, hours: float = 8, **settings: Any) -> World:
    world = World(rules__hours=line, rules__horizon_s=14400, **settings)
    world.store("kitchen", 300, 0)
    world.rider("r", 0, 0, hours=hours)
    return world


def rests(world: World) -> list[tuple[int, int, str]]:
    events = (event for _, events in world.journal for event in events)
    return [(event.at - T0, event.until - T0, event.why) for event in events if isinstance(event, e.RestGiven)]


def test_who_has_nothing_to_do_is_given_the_break_that_is_due() -> None:
    world = city("stretch 7200; break 900")
    world.until(4 * H)
    # Due from half of the stretch on: at one hour.  The next stretch begins after it.
    assert rests(world)[:2] == [(3600, 4500, "stretch"), (4500 + 3600, 4500 + 4500, "stretch")]
    world.check()


def test_nothing_is_planned_into_a_break_and_what_comes_meanwhile_waits_for_its_end() -> None:
    world = city("stretch 7200; break 900")
    world.until(3700)
    world.order("o1", "kitchen", 900, 0)
    world.until(3900)
    (change,) = [event for _, events in world.journal for event in events if isinstance(event, e.RouteRevised)][:1]
    # 300 m take a minute: they leave as the break ends at 4500 and stand at the counter a minute later.
    assert change.route.stops[0].expected_arrive_at - T0 == 4560
    assert world.board.riders["r"].doing(world.now) == "on_break"
    world.deliver_all(8000)
    assert world.state("o1").value == "delivered"
    world.check()


def test_an_order_that_would_take_longer_than_hours_last_waits_until_after_the_break() -> None:
    world = city("stretch 7200; break 900")
    for number in range(30):
        world.until(600 * number)
        world.order(f"o{number}", "kitchen", 3000, 0, due_at=world.now + 3 * H)
        world.deliver_all(600 * number + 590)
    audit = HoursAudit("stretch 7200; break 900")
    for _, events in world.journal:
        audit.take(events)
    assert (audit.breaches, audit.over_s) == ([], 0)
    assert len(rests(world)) >= 2
    world.check()


def test_a_plan_beyond_the_hours_is_refused_by_the_auditor_and_by_the_engine() -> None:
    world = city("stretch 3600; break 900")
    world.answers_rounds = False
    world.until(60)
    world.order("o1", "kitchen", 8000, 0, due_at=world.now + 3 * H)
    world.until(120)
    frozen = world.engine.freeze()
    answer = world.policy.answer(frozen, world.times)
    assert answer.changes and not audit_answer(frozen, answer, world.times)
    world.say(i.SettingChanged(at=world.now, key="rules.hours", value="shift 3600; stretch 1800; break 900"))
    # 8 km take 26 minutes one way: half an hour at a stretch is too short by now.
    told = audit_answer(world.engine.freeze(), answer, world.times)
    assert any("route_end" in sentence for sentence in told), told
    events = world.say(replace(answer, at=world.now))
    assert [event.refused for event in events if isinstance(event, e.RoundClosed)] == [("r",)]


def test_a_break_of_their_own_counts_if_it_is_long_enough() -> None:
    world = city("stretch 7200; break 900")
    for begin, end in ((1000, 1500), (2000, 3000)):
        world.until(begin)
        world.say(i.BreakBegan(at=world.now, rider_id="r"))
        world.until(end)
        world.say(i.BreakEnded(at=world.now, rider_id="r"))
    left = world.board.riders["r"].hours("stretch 7200; break 900", world.now)
    assert left is not None and left.stretch_from - T0 == 3000
    world.check()


def test_who_logs_off_and_on_again_goes_on_with_the_same_duty() -> None:
    line = "shift 7200; rest 39600"
    world = city(line)
    world.until(3600)
    world.say(i.ShiftEnded(at=world.now, rider_id="r"))
    world.until(5400)
    world.say(i.ShiftPlanned(at=world.now, shift=Shift("r", world.now, world.now + 8 * H)))
    assert world.board.riders["r"].works_until(line, world.now, 40) == T0 + 7200 - LEAVES_S
    world.until(7300)
    world.order("o1", "kitchen", 900, 0)
    world.until(8000)
    assert world.board.orders["o1"].planned_rider_id is None
    world.check()


def test_without_a_line_nobody_is_given_a_break() -> None:
    world = city("")
    world.until(6 * H)
    assert rests(world) == []


def test_the_judge_finds_what_it_is_there_to_find() -> None:
    world = city("", hours=8)
    world.until(7000)
    world.order("o1", "kitchen", 900, 0)
    world.deliver_all(9000)
    audit = HoursAudit("stretch 7200; break 900")
    for _, events in world.journal:
        audit.take(events)
    assert len(audit.breaches) == 1 and "beyond the law" in audit.breaches[0] and audit.over_s > 0


@pytest.mark.parametrize("seed", range(3))
def test_no_plan_of_a_random_day_breaks_its_hours(seed: int) -> None:
    """`python -m tests.dispatch.people.days 1000` lives a thousand of them."""
    day = lived(seed)
    assert day.breaches == [] and day.rests + day.delivered > 0
