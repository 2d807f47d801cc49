"""Former names of settings: read for ever where they were written, accepted with a word where people write them."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch.board.board import Board
from dispatch.errors import InvalidSetting
from dispatch.events import PresetSet, SettingSet
from dispatch.settings.choosing import remarks
from dispatch.settings.names import FORMER
from dispatch.settings.settings import Settings, describe, schema
from routing.places import PlaceBook

PAIRS = [(old, new) for old, new in FORMER.items() if old != "prices.promise"]


def other(key: str) -> Any:
    """A value that is not the default."""
    known = describe(key)
    if key == "rules.mix":
        return "alone"
    return next(choice for choice in known.choices if choice != known.default) if known.choices else known.default + 7


def test_no_setting_goes_by_a_former_name_and_every_present_one_exists() -> None:
    known = {one.key for one in schema()}
    assert not known & FORMER.keys()
    assert set(FORMER.values()) <= known


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_what_was_written_under_a_former_name_is_read(old: str, new: str) -> None:
    value = other(new)
    assert Settings.stated({old: value}) == Settings.stated({new: value}) != Settings.stated({})
    board = Board(PlaceBook("wgs84"), Settings())
    board.apply(SettingSet(at=1, key=old, value=str(value)))
    assert board.settings.flat()[new] == value


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_people_may_still_write_it_and_are_told_the_present_name(old: str, new: str) -> None:
    value = other(new)
    assert Settings().with_values({old: value}) == Settings().with_values({new: value})
    assert describe(old).key == new
    settings = Settings().with_values({new: value})
    assert remarks({old: value}, settings) == [f"{old} is called {new} now; the old name goes in 0.4.0."]
    assert remarks({new: value}, settings) == []


def test_one_setting_under_both_its_names_is_refused() -> None:
    both = {"rules.unseen_s": 5, "rules.route_ack_timeout_s": 6}
    with pytest.raises(InvalidSetting, match=r"rules\.unseen_s and rules\.route_ack_timeout_s are one setting"):
        Settings().with_values(both)
    with pytest.raises(InvalidSetting):
        remarks(both, Settings())


def test_a_preset_of_an_old_journal_is_undone_by_present_names() -> None:
    board = Board(PlaceBook("wgs84"), Settings())
    board.apply(PresetSet(at=1, preset="door", values=(("prices.skip", "5"), ("rules.unseen_s", "9"))))
    assert board.before_preset == {"preset": "balanced", "prices.unserved": 3_600_000, "rules.route_ack_timeout_s": 60}
    board.apply(SettingSet(at=2, key="rules.unseen_s", value="11"))
    assert board.before_preset is not None and "rules.route_ack_timeout_s" not in board.before_preset


def test_the_present_name_of_a_setting_wins_over_the_old_default() -> None:
    both = {"rules.route_ack_timeout_s": 0, "rules.unseen_s": 7}
    assert Settings.stated(both).rules.route_ack_timeout_s == 7, "what was said last"
    assert Settings.stated({"rules.route_ack_timeout_s": 0}).rules.route_ack_timeout_s == 0
