"""Comparing runs: pairs by seed, noise by hand, and refusals."""

from __future__ import annotations

import json
import math

import pytest

from halfhour.comparing import differences, grouped, remark
from routing.errors import InvalidInput


def summary(policy: str, seed: int, late: float | None, **more):
    return {
        "scenario": "day", "catalogue_digest": "d", "policy": policy, "seed": seed, "lateness_mean_s": late,
        "has_luck": True, "settings": {"search.seed": seed, "rules.round_s": 30}, **more,
    }  # fmt: skip


def test_paired_differences_by_hand():
    runs = [summary("a", seed, late) for seed, late in ((1, 100.0), (2, 140.0), (3, 60.0))]
    runs += [summary("b", seed, late) for seed, late in ((1, 90.0), (2, 126.0), (3, 54.0), (4, 1.0))]
    first, second = grouped(runs)
    (found,) = differences(first, second, ["lateness_mean_s"])
    # Gaps -10, -14, -6: mean -10, sample deviation 4, t(2) = 4.303: 4.303 * 4 / sqrt(3) = 9.937.
    assert (found.reference, found.value, found.difference) == (100.0, 90.0, -10.0)
    assert found.noise == pytest.approx(4.303 * 4 / math.sqrt(3))
    assert found.exceeds_noise is True
    assert "Paired over 3 seeds" in remark([first, second])


def test_noise_swallows_a_small_difference():
    runs = [summary("a", 1, 10.0), summary("a", 2, 20.0), summary("b", 1, 12.0), summary("b", 2, 19.0)]
    (found,) = differences(*grouped(runs), ["lateness_mean_s"])
    assert found.exceeds_noise is False


def test_one_seed_knows_no_noise():
    first, second = grouped([summary("a", 1, 10.0), summary("b", 1, 12.0)])
    (found,) = differences(first, second, ["lateness_mean_s"])
    assert found.noise is None and found.exceeds_noise is None
    assert "One seed only" in remark([first, second])


def test_a_scenario_without_luck_is_said_to_have_none():
    runs = [summary("a", 1, 1.0, has_luck=False), summary("b", 1, 1.0, has_luck=False)]
    assert "no luck of its own" in remark(grouped(runs))


def test_groups_are_configurations_not_seeds():
    other = summary("a", 1, 5.0, settings={"search.seed": 1, "rules.round_s": 60})
    names = [group.name for group in grouped([summary("a", 1, 1.0), summary("a", 2, 1.0), other])]
    assert names == ["a", "a rules.round_s=60"]


def test_a_figure_that_one_run_lacks_is_left_out():
    assert differences(*grouped([summary("a", 1, None), summary("b", 1, 2.0)]), ["lateness_mean_s"]) == []


@pytest.mark.parametrize(
    ("runs", "code"),
    [
        ([summary("a", 1, 1.0), summary("b", 1, 1.0, catalogue_digest="e")], "different_scenarios"),
        ([summary("a", 1, 1.0), summary("a", 1, 1.0)], "same_run_twice"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs, code):
    with pytest.raises(InvalidInput) as found:
        grouped(runs)
    assert found.value.code == code


def test_without_a_common_seed_nothing_is_paired():
    with pytest.raises(InvalidInput) as found:
        differences(*grouped([summary("a", 1, 1.0), summary("b", 2, 1.0)]), ["lateness_mean_s"])
    assert found.value.code == "no_common_seed"


def test_the_command(halfhour, nearest_run, our_run):
    typed = halfhour("compare", nearest_run, our_run, "--json")
    found = json.loads(typed.out)
    assert found["reference"] == "nearest"
    on_time = found["against"][0]["figures"]["on_time_share"]
    ours = json.loads((our_run / "summary.json").read_text())
    assert on_time["value"] == ours["on_time_share"]
    assert on_time["exceeds_noise"] is None
    assert "halfhour against nearest" in halfhour("compare", nearest_run, our_run).out
    alone = halfhour("compare", our_run)
    assert alone.status == 2 and "nothing_to_compare" in alone.err
