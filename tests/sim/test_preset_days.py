"""Every preset decides otherwise than each of the others, on one small day."""

from __future__ import annotations

from pathlib import Path

from dispatch.policies.policy import HalfhourPolicy
from dispatch.settings.presets import DEFAULT, PRESETS
from sim.invent.lunch_peak import DaySize, synthetic_day
from sim.replay.replay import replay


def test_no_two_presets_decide_alike_and_what_ships_is_one_of_them(tmp_path: Path) -> None:
    scenario, _ = synthetic_day(3, DaySize(stores=5, riders=3, orders=24, hours=0.5), tmp_path / "travel.npz")
    usual = scenario.catalogue.settings
    digests = {}
    for name in PRESETS:
        settings = usual.with_values({"preset": name, "search.work_per_order": 60})
        digests[name] = replay(scenario, HalfhourPolicy(), settings=settings).summary["decision_digest"]
    assert len(set(digests.values())) == len(PRESETS), digests
    assert usual.preset == DEFAULT and usual == usual.with_values({"preset": DEFAULT})
