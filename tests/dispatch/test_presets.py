"""Presets: rules and prices under one name, single settings on top, and written down by value."""

from __future__ import annotations

import pytest

from dispatch.config import Settings
from dispatch.errors import InvalidSetting
from dispatch.presets import PRESETS


def test_every_preset_states_the_same_settings_and_no_two_the_same_values() -> None:
    first, *others = PRESETS.values()
    for other in others:
        assert set(other.values) == set(first.values), "or something of it would stay behind"
    assert len({tuple(preset.values.items()) for preset in PRESETS.values()}) == len(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_values_and_its_name(name: str) -> None:
    flat = Settings().with_values({"preset": name}).flat()
    assert flat["preset"] == name and flat.items() >= dict(PRESETS[name].values).items()
    assert Settings.stated(flat).flat() == flat and Settings().with_values(flat).flat() == flat


def test_a_single_setting_wins_wherever_it_stands() -> None:
    before = Settings().with_values({"prices.late_fixed": 7, "preset": "balanced"})
    after = Settings().with_values({"preset": "balanced", "prices.late_fixed": 7})
    assert before == after and after.prices.late_fixed == 7 and after.preset == "balanced"


def test_what_is_stated_needs_no_preset_of_that_name() -> None:
    stated = Settings().with_values({"preset": "door"}).flat() | {"preset": "of a later version"}
    assert Settings.stated(stated).flat() == stated


def test_an_unknown_preset_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidSetting, match="no preset 'on-time'") as found:
        Settings().with_values({"preset": "on-time"})
    assert found.value.details["field"] == "preset" and "on_time" in found.value.hint
