"""No default and no layout of what is written down changes without a new number of its format."""

from __future__ import annotations

import json

import pytest

from dispatch.settings.settings import Settings
from sim.scenario import Reality
from tests.kit import formats

NOW = {one.name: one for one in formats.formats()}


@pytest.mark.parametrize("name", NOW)
def test_a_format_is_what_was_frozen_under_its_number(name: str) -> None:
    one = NOW[name]
    assert one.file.exists(), f"{name} {one.number} is new: freeze it by `python -m tests.kit.formats`"
    frozen, now = json.loads(one.file.read_text(encoding="utf-8")), json.loads(one.text)
    differs = {part: (frozen.get(part), now.get(part)) for part in {*frozen, *now} if frozen.get(part) != now.get(part)}
    assert not differs, (
        f"{name} {one.number} holds something else than was frozen: raise its number in {one.raised_in}, say there "
        f"what changed, see that earlier files mean what they meant, and freeze it by `python -m tests.kit.formats`"
    )


def test_a_default_that_moves_or_a_field_that_comes_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    for part, field in (("SCHEMA", "journal"), ("SETTINGS", "scenario"), ("TRUTH", "scenario")):
        with monkeypatch.context() as patch:
            if part == "SCHEMA":
                patch.setitem(formats.CLASSES, "Added", Settings)
            elif part == "SETTINGS":
                usual = Settings().with_values({"prices.late_fixed": 1}).flat()
                patch.setattr(Settings, "flat", lambda self, usual=usual: usual)
            else:
                patch.setattr(formats, "fields_of", lambda cls: {"more": 0} if cls is Reality else {})
            moved = {one.name: one.text for one in formats.formats()}
        assert moved[field] != NOW[field].text, part


def test_every_number_so_far_is_frozen_from_the_one_on_that_was_frozen_first() -> None:
    for name, one in NOW.items():
        numbers = sorted(int(path.stem.rpartition("-")[2]) for path in formats.FROZEN.glob(f"{name}-*.json"))
        assert numbers == list(range(numbers[0], one.number + 1))
