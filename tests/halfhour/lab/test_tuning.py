"""Settings for a goal: found on some days within limits, judged on others, with replays that are invented."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dispatch.settings.settings import Settings
from halfhour.lab.tuning import TUNED, Limit, goal_of, limit_of, tune
from halfhour.report.kpi_table import FIGURES
from routing.errors import InvalidInput
from sim.sources.folder_writer import write_folder
from tests.halfhour.lab.test_conducting import Here
from tests.sim.sources.test_table_doubts import crew, day, imported

NAMES = ("mon", "tue", "wed", "thu", "fri", "sat")


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Six small days."""
    folder = tmp_path_factory.mktemp("days")
    for number, name in enumerate(NAMES):
        orders = day(begin=7 * number)
        write_folder(folder / name, imported(tmp_path_factory.mktemp("tables"), orders=orders, riders=crew()))
    return [folder / name for name in NAMES]


class Replays:
    """Invents what a day comes to under settings, and remembers which days it was asked for."""

    def __init__(self, on_time, driven) -> None:
        self.on_time, self.driven = on_time, driven
        self.asked: list[tuple[str, str]] = []

    def __call__(self, run):
        self.asked.append((run.day.name, run.arm.name))
        settings = dict(run.arm.settings)
        luck = 0.001 * NAMES.index(run.day.name)
        base = {figure.key: 1.0 for figure in FIGURES} | {"complete": True, "decision_digest": "d"}
        return base | {
            "on_time_share": 0.8 + luck + self.on_time(settings),
            "driven_s_per_order": 500.0 + 1000 * luck + self.driven(settings),
        }


def found(days, out, replays, goal="on_time", within=()):
    return tune(days, goal, [limit_of(text) for text in within], out, jobs=1, make_executor=Here, work=replays)


def test_the_best_within_the_limits_is_judged_on_days_it_was_not_chosen_on(days, tmp_path):
    slope = "prices.late_per_s"

    def on_time(settings):
        return 0.05 * (settings.get("preset") == "on_time") + 0.02 * (settings.get(slope) == 1600)

    def driven(settings):
        return 15.0 * (settings.get("preset") == "on_time") + 60.0 * (settings.get(slope) == 1600)

    replays = Replays(on_time, driven)
    tuned = found(days, tmp_path / "out", replays, within=["driven=+5%"])
    assert tuned.settings == {"preset": "on_time"}, "twice the slope keeps more, and drives 15 % more"
    assert (tuned.chosen_on, tuned.reported_on) == (["mon", "wed", "fri"], ["tue", "thu", "sat"])
    tried = {arm["name"]: arm for arm in tuned.tried}
    assert tried["preset=on_time"]["within"] and not tried["preset=on_time late_per_s=1600"]["within"]
    assert tried["as set"]["on_time_share"] == pytest.approx(0.802)
    assert len(replays.asked) == len(set(replays.asked)), "what a round has replayed the next one knows"
    assert {name for name, arm in replays.asked if arm not in ("as set", "preset=on_time")} == {"mon", "wed", "fri"}
    judged = {one.key: one for one in tuned.reported.judgements if one.verdict}
    assert (judged["on_time_share"].verdict, judged["on_time_share"].paired.mean) == ("better", pytest.approx(0.05))
    written = json.loads((tmp_path / "out" / TUNED).read_text())
    assert written["settings"] == {"preset": "on_time"} and written["complete"]
    assert [one["figure"] for one in written["reported"]] == ["on_time_share", "driven_s_per_order"]
    free = found(days, tmp_path / "free", Replays(on_time, driven))
    assert free.settings == {"preset": "on_time", slope: 1600}, "without a limit the steeper one wins"


def test_what_is_set_stays_where_nothing_beats_it(days, tmp_path):
    tuned = found(days, tmp_path / "out", Replays(lambda settings: -0.01 * bool(settings), lambda settings: 0.0))
    assert tuned.settings == {} and tuned.reported is None and not tuned.interrupted


def test_an_interrupt_keeps_what_was_finished(days, tmp_path):
    replays = Replays(lambda settings: 0.0, lambda settings: 0.0)

    def stopped(run):
        if len(replays.asked) == 5:
            raise KeyboardInterrupt
        return replays(run)

    assert tune(days, "on_time", [], tmp_path / "out", jobs=1, make_executor=Here, work=stopped).interrupted
    assert not json.loads((tmp_path / "out" / TUNED).read_text())["complete"]
    went_on = Replays(lambda settings: 0.0, lambda settings: 0.0)
    again = tune(days, "on_time", [], tmp_path / "out", jobs=1, resume=True, make_executor=Here, work=went_on)
    assert not again.interrupted and not set(went_on.asked) & set(replays.asked)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("driven", "is no limit"),
        ("driven=5", "is no limit"),
        ("driven=-5%", "is no limit"),
        ("drivn=+5%", "no goal 'drivn'"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(text, words):
    with pytest.raises(InvalidInput, match=words):
        limit_of(text)


def test_goals_and_limits_are_named_in_words():
    assert limit_of("driven=+5%") == limit_of("driven=5%") == Limit("driven", 0.05)
    with pytest.raises(InvalidInput) as refused:
        goal_of("ontime")
    assert refused.value.hint == "Did you mean on_time?"


def test_days_that_are_too_few_or_differ_are_refused(days, tmp_path):
    with pytest.raises(InvalidInput, match="3 days are too few"):
        found(days[:3], tmp_path / "out", None)
    other = imported(tmp_path, orders=day(begin=50), riders=crew())
    settings = Settings.stated(other.catalogue.settings.flat() | {"rules.max_batch": 2})
    write_folder(tmp_path / "other", replace(other, catalogue=replace(other.catalogue, settings=settings)))
    with pytest.raises(InvalidInput, match=r"runs under another rules\.max_batch than mon"):
        found([*days, tmp_path / "other"], tmp_path / "out", None)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("order", [(0, 0, 1, 1), (0, 1, 2, 3, 2)])
def test_a_day_that_is_named_twice_is_refused(order, days, tmp_path):
    with pytest.raises(InvalidInput, match="are one day"):
        found([days[k] for k in order], tmp_path / "out", None)
