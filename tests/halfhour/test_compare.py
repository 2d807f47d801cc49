"""Comparing runs: pairs by day and seed, noise by hand, groups by what was run, and refusals."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest

from dispatch.policies.nearest import Nearest
from halfhour.comparing import differences, grouped, remark
from halfhour.lab.statistics.student import quantile
from routing.errors import InvalidInput
from sim.replay.replay import replay
from sim.scenario import Reality
from tests.dispatch.record.test_kpi import town


def summary(policy: str, seed: int, late: float | None, day: str = "d", **more):
    return {
        "scenario": "day", "scenario_digest": day, "catalogue_digest": "c", "policy": policy, "seed": seed,
        "lateness_mean_s": late, "has_luck": True, "complete": True, "versions": {"halfhour": "9.1"},
        "settings": {"search.seed": seed, "rules.round_s": 30}, **more,
    }  # fmt: skip


def test_paired_differences_by_hand():
    runs = [summary("a", seed, late) for seed, late in ((1, 100.0), (2, 140.0), (3, 60.0))]
    runs += [summary("b", seed, late) for seed, late in ((1, 90.0), (2, 126.0), (3, 54.0), (4, 1.0))]
    first, second = grouped(runs)
    (found,) = differences(first, second, ["lateness_mean_s"])
    # Gaps -10, -14, -6: mean -10, sample deviation 4, t(2) = 4.303: 4.303 * 4 / sqrt(3) = 9.937.
    assert (found.reference, found.value, found.difference) == (100.0, 90.0, -10.0)
    assert found.noise == pytest.approx(9.937, abs=1e-3)
    assert found.exceeds_noise is True
    assert "Paired over 3 seeds of one day" in remark([first, second])


def test_noise_has_the_quantile_of_its_own_number_of_runs():
    """With 33 seeds the interval is wider than a normal one by 4 %."""
    runs = [summary(policy, seed, seed % 2 * size) for policy, size in (("a", 0.0), ("b", 1.0)) for seed in range(33)]
    (found,) = differences(*grouped(runs), ["lateness_mean_s"])
    deviation = math.sqrt(33 * (16 / 33) * (17 / 33) / 32)
    assert found.noise == pytest.approx(2.0369 * deviation / math.sqrt(33), rel=1e-4)


def test_noise_swallows_a_small_difference():
    runs = [summary("a", 1, 10.0), summary("a", 2, 20.0), summary("b", 1, 12.0), summary("b", 2, 19.0)]
    (found,) = differences(*grouped(runs), ["lateness_mean_s"])
    assert found.exceeds_noise is False


def test_one_seed_knows_no_noise():
    first, second = grouped([summary("a", 1, 10.0), summary("b", 1, 12.0)])
    (found,) = differences(first, second, ["lateness_mean_s"])
    assert found.noise is None and found.exceeds_noise is None
    assert "One seed of one day" in remark([first, second])


def test_days_are_paired_with_themselves_and_count_once():
    """Two seeds of each of three days: gaps 1, 3 | 4, 6 | 9, 7 are days of 2, 5 and 8."""
    gaps = {("mon", 1): 1, ("mon", 2): 3, ("tue", 1): 4, ("tue", 2): 6, ("wed", 1): 9, ("wed", 2): 7}
    runs = [summary("a", seed, 10.0, day) for day, seed in gaps]
    runs += [summary("b", seed, 10.0 + gap, day) for (day, seed), gap in gaps.items()]
    groups = grouped(runs)
    (found,) = differences(*groups, ["lateness_mean_s"])
    assert (found.reference, found.value, found.difference) == (10.0, 15.0, 5.0)
    assert found.noise == pytest.approx(quantile(0.95, 2) * 3 / math.sqrt(3))
    assert "Paired over 3 days" in remark(groups)


def test_a_scenario_without_luck_is_said_to_have_none():
    runs = [summary("a", 1, 1.0, has_luck=False), summary("b", 1, 1.0, has_luck=False)]
    assert "no luck of its own" in remark(grouped(runs))


def test_groups_are_configurations_not_seeds():
    other = summary("a", 1, 5.0, settings={"search.seed": 1, "rules.round_s": 60})
    newer = summary("a", 1, 5.0, versions={"halfhour": "9.2"})
    names = [group.name for group in grouped([summary("a", 1, 1.0), summary("a", 2, 1.0), other, newer])]
    assert names == ["a", "a rules.round_s=60", "a 9.2"]


def test_a_recipe_is_a_group():
    recipes = [{"search.seed": 1, "search.recipe": recipe} for recipe in ("lns", "insertion")]
    names = [group.name for group in grouped([summary("halfhour", 1, 1.0, settings=one) for one in recipes])]
    assert names == ["halfhour", "halfhour search.recipe=insertion"]


def test_groups_never_share_a_name():
    many = [{"search.seed": 1, **{f"k.{n}": value for n in range(5)}} for value in (0, 1)]
    many.append(many[1] | {"k.4": 2})
    names = [group.name for group in grouped([summary("a", 1, 1.0, settings=one) for one in many])]
    assert len(set(names)) == 3 and names[2].endswith("k.4=2")


def test_a_figure_that_one_run_lacks_is_left_out():
    assert differences(*grouped([summary("a", 1, None), summary("b", 1, 2.0)]), ["lateness_mean_s"]) == []


@pytest.mark.parametrize(
    ("runs", "code", "words"),
    [
        ([summary("a", 1, 1.0), summary("b", 1, 1.0, "e")], "different_scenarios", "two scenarios are called 'day'"),
        ([summary("a", 1, 1.0), summary("a", 1, 1.0)], "same_run_twice", "have seed 1"),
        ([summary("a", 1, 1.0), summary("b", 1, 1.0, "e", scenario="x")], "different_scenarios", "'x' is not the"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs, code, words):
    with pytest.raises(InvalidInput, match=words) as found:
        grouped(runs)
    assert found.value.code == code


def test_without_a_common_seed_nothing_is_paired():
    with pytest.raises(InvalidInput) as found:
        differences(*grouped([summary("a", 1, 1.0), summary("b", 2, 1.0)]), ["lateness_mean_s"])
    assert found.value.code == "no_common_seed"


def test_folders_of_earlier_versions_are_compared_by_what_they_know():
    old = summary("a", 1, 1.0)
    del old["scenario_digest"]
    groups = grouped([old, summary("b", 1, 2.0)])
    assert "no digest of the whole day" in remark(groups)
    with pytest.raises(InvalidInput):
        grouped([old, summary("b", 1, 2.0, catalogue_digest="other")])


def test_a_day_is_all_that_is_replayed():
    """Promises, loads, truth and news are the day; its name, and the settings of a run, are not."""
    day = town(("a", 2, 0, 300, 500, None), ("b", 3, 60, 400, 900, None))

    def digest(scenario, **settings):
        chosen = scenario.catalogue.settings.with_values(settings)
        return replay(scenario, Nearest(), settings=chosen).summary["scenario_digest"]

    first, second = day.demand
    book = dataclasses.replace(day.fresh().catalogue)
    book.places.move(3, 0.0, 1801.0)
    others = [
        town(("a", 2, 0, 300, 501, None), ("b", 3, 60, 400, 900, None)),
        town(("a", 2, 0, 301, 500, None), ("b", 3, 60, 400, 900, None)),
        town(("a", 2, 0, 300, 500, None), ("b", 3, 60, 400, 900, 700)),
        dataclasses.replace(day, demand=(dataclasses.replace(first, ready_at=first.ready_at + 1), second)),
        dataclasses.replace(day, reality=Reality(travel_sigma=0.1)),
        dataclasses.replace(day, catalogue=book),
        day.before(second.order.placed_at),
    ]
    digests = [digest(day), *map(digest, others)]
    assert len(set(digests)) == len(digests)
    named = dataclasses.replace(day, catalogue=dataclasses.replace(day.catalogue, name="other"))
    assert digest(named) == digest(day, **{"rules.round_s": 60}) == digest(day)
    # Riders who may be diverted say where they are: that belongs to the settings, not to the day.
    assert digest(day, **{"rules.divert": True}) == digest(day)


def test_the_command(halfhour, nearest_run, our_run):
    typed = halfhour("compare", nearest_run, our_run, "--json")
    found = json.loads(typed.out)
    assert found["reference"] == "nearest"
    on_time = found["against"][0]["figures"]["on_time_share"]
    ours = json.loads((our_run / "summary.json").read_text())
    assert found["blocks"] == [{"scenario": ours["scenario"], "seed": ours["seed"]}]
    assert on_time["value"] == ours["on_time_share"]
    assert on_time["exceeds_noise"] is None
    assert "halfhour against nearest" in halfhour("compare", nearest_run, our_run).out
    alone = halfhour("compare", our_run)
    assert alone.status == 2 and "nothing_to_compare" in alone.err
