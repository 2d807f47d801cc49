"""Presets: rules and prices under one name, single settings on top, and written down by value."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch.engine.engine import Engine
from dispatch.errors import InvalidSetting
from dispatch.events import SettingSet
from dispatch.inputs import PresetChosen, SettingChanged
from dispatch.settings.choosing import change_to, remarks
from dispatch.settings.presets import PRESETS, among
from dispatch.settings.settings import Settings, describe
from routing.places import PlaceBook


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


def said_of(values: dict[str, Any]) -> list[str]:
    """Remarks on settings that open an empty city."""
    return remarks(values, Settings().with_values(values))


def test_a_single_setting_that_contradicts_its_preset_is_said_once() -> None:
    said = said_of({"preset": "on_time", "prices.late_fixed": "7", "rules.round_s": 5, "rules.max_batch": 4})
    assert said == ["prices.late_fixed = 7 stands, not 0 of the preset on_time."]
    assert said_of({"prices.late_fixed": 7}) == []
    assert said_of(Settings().with_values({"preset": "door"}).flat()) == []


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"prices.late_after_s": 5400}, False),
        ({"prices.late_after_s": 5401}, True),
        ({"prices.fail_after_s": 2399}, True),
        ({"prices.late_after_s": 6000, "prices.fail_after_s": 6000}, False),
        ({"prices.late_after_s": 6000, "prices.late_from": "promise"}, False),
        ({"prices.late_after_s": 1860, "prices.fail_after_promise_s": 60}, False),
        ({"prices.late_after_s": 1861, "prices.fail_after_promise_s": 60}, True),
    ],
)
def test_an_order_is_late_before_it_has_failed(values: dict[str, object], refused: bool) -> None:
    old = Settings.stated({})
    if not refused:
        old.with_values(values)
        return
    with pytest.raises(InvalidSetting, match="lies behind") as found:
        old.with_values(values)
    assert found.value.details["field"] == "prices.late_after_s" and found.value.hint
    assert Settings.stated(values).flat().items() >= values.items(), "what was written once is read"


def test_a_promise_beyond_the_failure_threshold_is_refused_and_one_that_it_follows_is_not() -> None:
    by_promise = Settings.stated({}).with_values({"prices.late_from": "promise"})
    with pytest.raises(InvalidSetting, match=r"late 5401 s after its placement and has failed after 5400 s"):
        by_promise.with_values({"rules.promise_s": 5401})
    by_promise.with_values({"rules.promise_s": 5401, "prices.late_before_s": 1})
    by_promise.with_values({"rules.promise_s": 86_400, "prices.fail_after_promise_s": 1})


def test_a_file_names_one_preset() -> None:
    assert among({"preset": "door", "settings": {"rules.round_s": 5}}, "settings") == {
        "settings": {"preset": "door", "rules.round_s": 5}
    }
    with pytest.raises(InvalidSetting, match=r"'door' at the top and 'on_time' in \[engine\]") as found:
        among({"preset": "door", "engine": {"preset": "on_time"}}, "engine")
    assert found.value.details["field"] == "engine.preset" and found.value.hint


def test_thresholds_cannot_change_places_by_what_they_count_from() -> None:
    early = Settings().with_values({"prices.late_after_s": 6000, "prices.fail_after_promise_s": 0})
    with pytest.raises(InvalidSetting, match="lies behind"):
        early.with_values({"prices.late_from": "placement"})
    with pytest.raises(InvalidSetting, match="lies behind"):
        early.with_values({"prices.promise": False})
    hidden = Settings().with_values({"prices.late_after_s": 2700, "prices.late_from": "placement"})
    hidden = hidden.with_values({"prices.fail_after_s": 2699})
    with pytest.raises(InvalidSetting, match="lies behind"):
        hidden.with_values({"prices.fail_after_promise_s": 0})


def test_what_was_written_beyond_the_bounds_of_today_is_read_at_the_nearest() -> None:
    written = {"prices.unserved": 10**30, "prices.work_per_s": -5, "reposition.prior": "nan", "rules.max_batch": 99}
    settings = Settings.stated(written)
    for key, value in written.items():
        known = describe(key)
        assert settings.flat()[key] == (known.high if key in ("prices.unserved", "rules.max_batch") else known.low)
        with pytest.raises(InvalidSetting):
            Settings().with_values({key: value})
    engine = Engine(PlaceBook("wgs84"), Settings())
    engine.board.apply(SettingSet(at=1, key="prices.unserved", value=str(10**30)))
    assert engine.board.settings.prices.unserved == describe("prices.unserved").high
    with pytest.raises(InvalidSetting):
        engine.handle(PresetChosen(at=1, preset="door", values=(("prices.unserved", str(10**30)),)))
    with pytest.raises(InvalidSetting, match="chosen with the values"):
        engine.handle(SettingChanged(at=1, key="preset", value="door"))


def test_without_a_preset_a_city_begins_as_in_0_1_0_and_any_preset_can_follow() -> None:
    bare, before = Settings().with_values({"preset": ""}), Settings.stated({}).flat()
    assert all(bare.flat()[key] == before[key] for one in PRESETS.values() for key in one.values)
    for name, one in PRESETS.items():
        change = change_to(bare, name)
        assert change.kept == () and change.values == one.values


@pytest.mark.parametrize("name", [False, 0, ["on_time"], None, True])
def test_what_is_no_name_is_no_preset(name: object) -> None:
    with pytest.raises(InvalidSetting, match="a preset is a name"):
        Settings().with_values({"preset": name})


def test_a_threshold_that_nothing_reads_is_said() -> None:
    stated = {"preset": "balanced", "prices.fail_after_s": 3600, "prices.late_after_s": 2400}
    assert said_of(stated) == ["prices.fail_after_s = 3600 does nothing: prices.fail_after_promise_s = 900 counts."]
    clicked = {"prices.late_from": "placement", "prices.late_before_s": 60, "prices.fail_after_promise_s": 0}
    assert said_of(clicked) == ["prices.late_before_s = 60 does nothing: prices.late_from = placement."]
    assert said_of(clicked | {"prices.late_before_s": 0, "prices.fail_after_s": 3600}) == []


def test_remarks_are_those_of_what_is_in_force_not_of_what_ships() -> None:
    """A day of 0.1.0 counts from the placement and has one failure threshold."""
    old = Settings.stated({"prices.promise": False, "prices.late_after_s": 3300})
    assert remarks({"prices.late_after_s": 3300, "prices.fail_after_s": 5400}, old) == []
    promised = Settings.stated({"prices.promise": True, "prices.late_after_s": 3300})
    assert remarks({"prices.late_after_s": 3300}, promised) == [
        "prices.late_after_s = 3300 does nothing: prices.late_from = promise."
    ]


def test_what_the_preset_itself_wrote_is_not_said_to_do_nothing() -> None:
    clicked = {"preset": "on_time", "prices.late_from": "placement", "prices.late_after_s": 1500}
    said = said_of(clicked | {"prices.late_before_s": 240})
    assert said == ["prices.late_from = placement stands, not promise of the preset on_time."]


def test_work_that_is_free_of_charge_where_riders_are_scarce_is_said() -> None:
    (said,) = said_of({"prices.work_per_s": 12})
    assert said.endswith("make work free of charge where riders are scarce.") and "scarce_work_per_s = -60" in said
    assert said_of({"prices.work_per_s": 60}) == []


def test_a_preset_left_for_none_is_judged_like_single_settings() -> None:
    late = Settings().with_values({"prices.late_after_s": 6000})
    with pytest.raises(InvalidSetting, match=r"prices\.late_after_s = 6000 lies behind"):
        late.with_values({"preset": ""})
    assert late.with_values({"preset": ""}, ordered=False).prices.late_after_s == 6000


def test_a_preset_that_single_settings_contradict_is_refused_before_it_is_chosen() -> None:
    clicked = Settings().with_values({"prices.late_from": "placement", "prices.late_after_s": 2700})
    with pytest.raises(InvalidSetting, match="lies behind") as found:
        change_to(clicked, "on_time")
    assert "--overwrite" in found.value.hint and "fail_after_promise_s = 0" in found.value.hint
    assert change_to(clicked, "on_time", overwrite=True).kept == ()


@pytest.mark.parametrize(("fail_after_promise_s", "is_said"), [(0, False), (60, True)])
def test_where_lateness_counts_from_the_placement_and_failure_does_not_the_hint_says_how_both_would(
    fail_after_promise_s: int, is_said: bool
) -> None:
    values = {
        "prices.late_from": "placement", "prices.late_after_s": 9000,
        "prices.fail_after_s": 3600, "prices.fail_after_promise_s": fail_after_promise_s,
    }  # fmt: skip
    with pytest.raises(InvalidSetting, match="lies behind") as refused:
        Settings().with_values(values)
    assert ("both count from the placement" in refused.value.hint) is is_said
