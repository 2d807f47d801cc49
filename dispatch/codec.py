"""Inputs and events as plain JSON values and back, by class name and field type.

The journal's lines and the ledger's rows are made here and nowhere else, so a schema change shows in one diff.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import operator
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

import dispatch.events
import dispatch.inputs
from dispatch.errors import CorruptJournal
from dispatch.inputs import PlannedStop
from dispatch.model import Act, Stop

SCHEMA_VERSION = 5
"""Version of inputs, events and journal lines; a journal states it in its header.

1: stops and acts are objects.  2: they are lists of their values in the order of their fields (a third of the size;
most of a journal is routes).  3: headers and snapshots state every setting, not the changed ones alone.
4: what is said of an order's delivery and learnt from its end are events; the weather of travel times; the class of an
order's goods and its member's tier; what an order is charged, its tenant, the CO2 of ways; walks from street to door;
what an offered trip asks and pays; who held an order, who is kept apart from whom, hours worked and breaks given.
5: sources and ends of orders, what is chosen of them, and when a store was told.
"""


_ATOMS = frozenset({int, str, float, bool, type(None)})
"""Types that are JSON values as they are; most values of a journal are of these, and it is written in one go."""


_LISTED = frozenset({Stop, Act})
"""Written as lists of their values; new fields come last, with a default."""

_SPARED: dict[type, int] = {Stop: 2, PlannedStop: 2}
"""How many of the last values of a list are left out where all of them are 0: the walks of days without streets."""


def encode(item: Any) -> dict[str, Any]:
    """An Input or Event as a JSON object whose `kind` names its class; fields at their default are left out."""
    return {"kind": type(item).__name__, **_plain_object(item)}


def decode_input(value: dict[str, Any]) -> dispatch.inputs.Input:
    """The Input that `encode` made; raises CorruptJournal for an unknown kind or a missing field."""
    item = _decode(value, dispatch.inputs)
    assert isinstance(item, dispatch.inputs.Input)
    return item


def decode_event(value: dict[str, Any]) -> dispatch.events.Event:
    """The Event that `encode` made; raises CorruptJournal for an unknown kind or a missing field."""
    item = _decode(value, dispatch.events)
    assert isinstance(item, dispatch.events.Event)
    return item


@functools.cache
def _encoders(cls: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((item.name, item.default) for item in dataclasses.fields(cls))


def plain(value: Any) -> Any:
    """Any value of the model as JSON values: objects for dataclasses (defaults left out), lists for tuples."""
    cls: Any = type(value)
    return _writer(cls)(value)


@functools.cache
def _writer(cls: Any) -> Callable[[Any], Any]:
    """How values of a class are written, found once: half of a replay's journal is asking for it."""
    if cls in _SPARED:
        return _sparing(operator.attrgetter(*_hints(cls)), -_SPARED[cls])
    if cls in _LISTED:
        values = operator.attrgetter(*(name for name, _ in _encoders(cls)))
        return lambda value: _plain_list(values(value))
    if issubclass(cls, tuple | list):
        return _plain_list
    if issubclass(cls, enum.Enum):
        return operator.attrgetter("value")
    return _plain_object if dataclasses.is_dataclass(cls) else lambda value: value


def _sparing(values: Callable[[Any], tuple[Any, ...]], end: int) -> Callable[[Any], list[Any]]:
    """Writes `values` of something as a list, those from `end` on only where one of them is not 0."""

    def write(value: Any) -> list[Any]:
        found = values(value)
        return _plain_list(found if any(found[end:]) else found[:end])

    return write


def _plain_list(values: Iterable[Any]) -> list[Any]:
    return [part if type(part) in _ATOMS else plain(part) for part in values]


def _plain_object(value: Any) -> dict[str, Any]:
    found = {}
    cls: Any = type(value)
    for name, default in _encoders(cls):
        part = getattr(value, name)
        if default is dataclasses.MISSING or part != default:
            found[name] = part if type(part) in _ATOMS else plain(part)
    return found


def _decode(value: dict[str, Any], module: types.ModuleType) -> Any:
    kind = value.get("kind")
    cls = getattr(module, kind, None) if isinstance(kind, str) else None
    if cls is None or not dataclasses.is_dataclass(cls):
        raise CorruptJournal(f"unknown kind {kind!r}", kind=kind, hint="Was it written by a later version?")
    try:
        return _build(cls, value)
    except (KeyError, TypeError, ValueError) as problem:
        raise CorruptJournal(f"{kind} cannot be read: {problem}", kind=kind) from problem


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _build(cls: Any, value: Any) -> Any:
    build = _decoder(cls)
    assert build is not None
    return build(value)


def typed(hint: Any, value: Any) -> Any:
    """The value of type `hint` that `plain` made `value` of."""
    decode = _decoder(hint)
    return value if decode is None or value is None else decode(value)


_Decoder = Callable[[Any], Any]


@functools.cache
def _decoder(hint: Any) -> _Decoder | None:
    """What makes a value of type `hint` (None: a JSON value as it is), looked up once: a restart decodes millions."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        (inner,) = (part for part in parts if part is not type(None))
        return _decoder(inner)
    if origin is list:
        return list
    if origin is tuple:
        return _sequence(_decoder(parts[0])) if len(parts) == 2 and parts[1] is Ellipsis else _row(tuple, parts)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _Members(hint).__getitem__
    if dataclasses.is_dataclass(hint):
        return _object(hint)
    if isinstance(hint, type) and issubclass(hint, tuple):  # NamedTuple
        hints = _hints(hint)
        make: Any = hint
        row = _row(make._make, tuple(hints[name] for name in make._fields))
        return row if hint not in _SPARED else lambda value: row(_with_spared(value, make))
    return None


class _Members(dict[Any, enum.Enum]):
    """The members of an enumeration by value: a tenth of the time of calling it, the same error for any other value."""

    def __init__(self, of: type[enum.Enum]) -> None:
        super().__init__((member.value, member) for member in of)
        self._of = of

    def __missing__(self, value: Any) -> enum.Enum:
        return self._of(value)


def _sequence(inner: _Decoder | None) -> _Decoder:
    if inner is None:
        return tuple
    return lambda value: tuple([None if part is None else inner(part) for part in value])


def _row(make: _Decoder, hints: tuple[Any, ...]) -> _Decoder:
    decoders = [_decoder(hint) for hint in hints]
    return lambda value: make(
        [part if decode is None or part is None else decode(part) for decode, part in zip(decoders, value, strict=True)]
    )


def _with_spared(value: list[Any], make: Any) -> list[Any]:
    """The values of a list with those that were left out at its end."""
    spared = _SPARED[make]
    return [*value, *[0] * spared] if len(value) == len(make._fields) - spared else value


def _object(cls: Any) -> _Decoder:
    hints = _hints(cls)
    parts = [(name, _decoder(hints[name])) for name, _ in _encoders(cls)]
    decoded = [(place, decode) for place, (_, decode) in enumerate(parts) if decode is not None]

    def listed(value: list[Any]) -> Any:
        values = value[: len(parts)]
        for place, decode in decoded:
            if place < len(values) and values[place] is not None:
                values[place] = decode(values[place])
        return cls(*values)

    def named(value: dict[str, Any]) -> Any:
        found = {}
        for name, decode in parts:
            if name in value:
                part = value[name]
                found[name] = part if decode is None or part is None else decode(part)
        return cls(**found)

    return lambda value: listed(value) if isinstance(value, list) else named(value)
