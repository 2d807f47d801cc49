"""Luck belongs to who and what, not to when it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from dispatch.model import Offer
from sim.scenario import Reality
from sim.world.luck import Luck, SharedAcceptance


def test_a_draw_depends_on_seed_entity_and_purpose_alone():
    luck = Luck(1)
    first = luck.stream("o1", "ready").random()
    luck.stream("o2", "ready").random()
    assert luck.stream("o1", "ready").random() == first == Luck(1).stream("o1", "ready").random()
    others = {Luck(2).stream("o1", "ready").random(), luck.stream("o1", "absent").random()}
    assert first not in others | {luck.stream("o2", "ready").random()}


def test_entities_are_not_confused_by_their_names():
    luck = Luck(1)
    assert luck.stream("a\x00b", "c").random() != luck.stream("b", "c\x00a").random()


def test_shares_are_met_in_the_long_run():
    luck = Luck(3)
    hits = sum(luck.happens(f"o{k}", "absent", 0.2) for k in range(4000))
    assert hits / 4000 == pytest.approx(0.2, abs=0.02)
    assert not luck.happens("o1", "absent", 0.0)


def test_factors_have_median_one_and_stay_in_bounds():
    factors = np.array([Luck(4).factor(f"leg{k}", "travel", 0.8) for k in range(3000)])
    assert np.median(factors) == pytest.approx(1.0, abs=0.05)
    assert factors.min() >= 1 / 3
    assert factors.max() <= 3.0
    assert Luck(4).factor("leg1", "travel", 0.0) == 1.0


def test_two_policies_get_the_same_answer_from_a_rider():
    model = SharedAcceptance(Reality(decline_share=0.5), Luck(5))
    offers = [Offer(f"f{k}", "r", (f"o{k}",), 40) for k in range(200)]
    again = [Offer(f"other{k}", "r", (f"o{k}",), 99) for k in range(200)]
    answers = [model.answer(offer, 0)[0] for offer in offers]
    assert answers == [model.answer(offer, 50)[0] for offer in again]
    assert {True, False} == set(answers)
