"""What a journalled type leaves out is for ever what its default was: fields at their default are not written.

`golden/0.1.0/journalled.json` holds the fields and defaults of every input, event, record and part of them as 0.1.0
wrote them.  A line of it never changes; a field that is added later comes last and has a default that means what old
entries meant.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import dispatch.codec
from tests.kit.formats import CLASSES, REQUIRED, fields_of, journalled

FROZEN = Path(__file__).parents[2] / "golden" / "0.1.0" / "journalled.json"
ROWS = [name for name, cls in CLASSES.items() if hasattr(cls, "_fields")]
KNOWN: dict[str, Any] = json.loads(FROZEN.read_text())


@pytest.mark.parametrize("name", KNOWN)
def test_what_0_1_0_left_out_is_still_what_it_was(name: str) -> None:
    frozen, now = KNOWN[name], journalled()[name]
    if isinstance(frozen, list):
        assert set(frozen) <= set(now), f"{name} lost a value that journals hold"
        return
    assert {field: now.get(field) for field in frozen} == frozen, f"a default of {name} has changed"
    added = [field for field in now if field not in frozen]
    assert [field for field in added if now[field] == REQUIRED] == [], f"old entries of {name} do not hold these"
    if name in ROWS:
        spared = dispatch.codec._SPARED.get(CLASSES[name], 0)
        assert added == list(now)[len(now) - spared :], f"{name} is written as a row of values, which is read whole"


def test_lists_of_values_grow_at_their_end_only() -> None:
    for cls in dispatch.codec._LISTED:
        frozen = list(KNOWN[cls.__name__])
        assert list(fields_of(cls))[: len(frozen)] == frozen
