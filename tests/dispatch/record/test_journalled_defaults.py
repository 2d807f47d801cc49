"""What a journalled type leaves out is for ever what its default was: fields at their default are not written.

`golden/0.1.0/journalled.json` holds the fields and defaults of every input, event, record and part of them as 0.1.0
wrote them.  A line of it never changes; a field that is added later comes last and has a default that means what old
entries meant.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from pathlib import Path
from typing import Any

import pytest

import dispatch.board.records
import dispatch.board.store_demand
import dispatch.codec
import dispatch.events
import dispatch.inputs
import dispatch.model

FROZEN = Path(__file__).parents[2] / "golden" / "0.1.0" / "journalled.json"
MODULES = (dispatch.inputs, dispatch.events, dispatch.model, dispatch.board.records, dispatch.board.store_demand)
REQUIRED = "(required)"


def fields_of(cls: Any) -> dict[str, Any]:
    """Every field with its default as JSON values, in order."""
    if not dataclasses.is_dataclass(cls):
        return {name: cls._field_defaults.get(name, REQUIRED) for name in cls._fields}
    return {item.name: _default(item) for item in dataclasses.fields(cls)}


def _default(item: dataclasses.Field[Any]) -> Any:
    if item.default_factory is not dataclasses.MISSING:
        return dispatch.codec.plain(item.default_factory())
    return REQUIRED if item.default is dataclasses.MISSING else dispatch.codec.plain(item.default)


def journalled() -> dict[str, Any]:
    """Everything that a journal or a snapshot holds, by name."""
    found: dict[str, Any] = {}
    for name, cls in CLASSES.items():
        if issubclass(cls, enum.Enum):
            found[name] = [member.value for member in cls]
        elif dataclasses.is_dataclass(cls) or hasattr(cls, "_fields"):
            found[name] = fields_of(cls)
    return found


CLASSES: dict[str, Any] = {
    name: cls
    for module in MODULES
    for name, cls in sorted(vars(module).items())
    if isinstance(cls, type) and cls.__module__ == module.__name__
}
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
        assert added == [], f"{name} is written as a row of values, which is read whole"


def test_lists_of_values_grow_at_their_end_only() -> None:
    for cls in dispatch.codec._LISTED:
        frozen = list(KNOWN[cls.__name__])
        assert list(fields_of(cls))[: len(frozen)] == frozen
