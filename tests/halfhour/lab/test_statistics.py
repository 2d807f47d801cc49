"""Small-sample statistics against slow twins, tables and the rates they promise."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.lab.statistics.paired import DRAWS, EXACT_UP_TO, holm, needed, paired, sign_flip
from halfhour.lab.statistics.student import quantile, two_sided, within

T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 5: 2.571, 10: 2.228, 30: 2.042, 31: 2.040, 120: 1.980}
"""From printed tables; 31 degrees of freedom are 2.040, where a normal quantile would say 1.960."""


def by_integration(t, freedom, steps=20_000):
    """P(|T| <= t) by Simpson's rule over the density of Student's t."""
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    x = np.linspace(0.0, t, steps + 1)
    density = scale * (1 + x**2 / freedom) ** (-(freedom + 1) / 2)
    weights = np.ones(steps + 1)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    return 2 * float(density @ weights) * t / steps / 3


@pytest.mark.parametrize("freedom", [*range(1, 13), 31, 32, 99, 400])
def test_student_is_what_its_density_says(freedom):
    for t in (0.01, 0.5, 1.0, 2.04, 3.5, 9.0):
        assert within(t, freedom) == pytest.approx(by_integration(t, freedom), abs=1e-10)
        assert two_sided(-t, freedom) == pytest.approx(1 - within(t, freedom), abs=1e-15)


def test_quantiles_are_those_of_the_tables_and_turn_back():
    for freedom, t in T_975.items():
        assert quantile(0.95, freedom) == pytest.approx(t, abs=6e-4)
    for level, freedom in itertools.product((0.5, 0.9, 0.99, 0.9999), (1, 2, 7, 31)):
        assert within(quantile(level, freedom), freedom) == pytest.approx(level, abs=1e-14)
    assert within(0.0, 5) == 0.0 and within(math.inf, 5) == 1.0


def test_student_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    for freedom, t in itertools.product((1, 2, 3, 8, 31, 250), (0.1, 1.3, 2.7, 5.0)):
        assert two_sided(t, freedom) == pytest.approx(2 * float(stats.t.sf(t, freedom)), rel=1e-9)
        assert quantile(0.975, freedom) == pytest.approx(float(stats.t.ppf(0.9875, freedom)), rel=1e-12)


def test_paired_by_hand():
    said = paired([-10.0, -14.0, -6.0])
    # Mean -10, deviation 4, error 4 / sqrt(3); of the eight signs only all + and all - are as far from 0.
    assert (said.pairs, said.mean, said.deviation) == (3, -10.0, 4.0)
    assert said.half_width == pytest.approx(quantile(0.95, 2) * 4 / math.sqrt(3))
    assert said.p_t == pytest.approx(two_sided(10 * math.sqrt(3) / 4, 2))
    assert said.p_flip == 0.25
    assert paired([3.0])[2:] == (None, None, None, 1.0)
    assert paired([0.0, 0.0]).p_t == 1.0 and paired([2.0, 2.0]).p_t == 0.0


def flipped(numbers):
    """The exact sign-flip p in fractions, one assignment after the other."""
    values = [Fraction(number) for number in numbers]
    observed = abs(sum(values))
    signs = list(itertools.product((1, -1), repeat=len(values)))
    hits = sum(abs(sum(s * v for s, v in zip(sign, values, strict=True))) >= observed for sign in signs)
    return hits / len(signs)


@given(st.lists(st.integers(-3, 3).map(lambda k: k / 10), min_size=1, max_size=8))
def test_sign_flips_are_counted_exactly(numbers):
    """Tenths, of which many sums are equal but for rounding; the twin counts the same tenths as fractions."""
    tenths = [Fraction(round(number * 10), 10) for number in numbers]
    assert sign_flip(np.array(numbers)) == flipped(tenths)


def test_drawn_signs_come_near_the_exact_ones_and_repeat():
    luck = np.random.default_rng(5)
    values = luck.normal(0.35, 1.0, EXACT_UP_TO + 2)
    exact = flipped([Fraction(value) for value in values])
    drawn = sign_flip(values, 1)
    assert drawn == sign_flip(values, 1) != sign_flip(values, 2)
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / DRAWS))
    assert sign_flip(np.full(40, 1.0)) == 1 / (DRAWS + 1)


def test_holm_by_hand():
    # Sorted .01, .02, .03, .04 times 4, 3, 2, 1 are .04, .06, .06, .04: none may fall below the one before.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0] and holm([]) == []


def test_pairs_needed_by_hand():
    # (1.96 + 0.8416) * .7 / .5 squared is 15.38; a quarter of the effect needs sixteen times as many.
    assert needed(0.7, 0.5) == 16
    assert needed(0.7, 0.125) == 247
    assert needed(0.0, 1.0) == 2


# --- the rates that are promised --------------------------------------------------------------------------------

BLOCKS, DRAWN, EXPERIMENTS = 400, 32, 1_000


def invented_blocks(kind):
    """Differences of 400 blocks replayed twice, centred on their mean, as seconds of click-to-door."""
    luck = np.random.default_rng(11)
    values = {"normal": luck.normal(0, 28, BLOCKS), "peaked": luck.laplace(0, 20, BLOCKS)}[kind]
    return values - values.mean()


def experiments(blocks, effect=0.0):
    """1,000 experiments of 32 blocks drawn with replacement."""
    luck = np.random.default_rng(12)
    return [paired(luck.choice(blocks, DRAWN) + effect, seed=k) for k in range(EXPERIMENTS)]


@pytest.mark.parametrize("kind", ["normal", "peaked"])
def test_an_experiment_of_a_thing_with_itself_errs_at_its_rate(kind):
    found = experiments(invented_blocks(kind))
    for wrong in (sum(said.p_t < 0.05 for said in found), sum(said.p_flip < 0.05 for said in found)):
        assert 36 <= wrong <= 64
    # The interval and the t test are two ways to say one thing.
    assert [abs(said.mean) > said.half_width for said in found] == [said.p_t < 0.05 for said in found]


@pytest.mark.parametrize("effect", [-15.0, 40.0])
def test_a_planted_difference_is_covered(effect):
    found = experiments(invented_blocks("normal"), effect)
    assert 930 <= sum(abs(said.mean - effect) <= said.half_width for said in found) <= 970


def test_the_interval_narrows_with_the_root_of_the_blocks():
    values = np.tile([-1.0, 1.0], 200)
    few, many = paired(values[:100]), paired(values)
    assert few.half_width / many.half_width == pytest.approx(2.0, rel=0.02)
