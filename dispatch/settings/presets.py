"""Presets: rules and prices that belong together, under one name.

Every preset states the same settings, so that changing from one to another leaves nothing of the first behind.  What is
written down is never a name alone: journals and folders hold the values it stood for.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple

from dispatch.errors import InvalidSetting

KEY = "preset"
"""Stands among settings (`--set preset=on_time`); single settings beside it win."""


class Preset(NamedTuple):
    """A name, what it is for in a line, and what it stands for."""

    name: str
    about: str
    values: Mapping[str, Any]


DEFAULT = "balanced"
"""What everything runs under where nobody says otherwise."""

_COMMON: dict[str, Any] = {
    "rules.mix": "any",
    "rules.max_batch": 4,
    "rules.max_trips": 3,
    "rules.empty_moves": False,
    "rules.commit": "auto",
    "prices.door_per_s": 100,
    "prices.late_from": "promise",
    "prices.late_before_s": 0,
    "prices.late_per_s": 110,
    "prices.late_fixed": 80_000,
    "prices.fail_per_s": 110,
    "prices.fail_after_s": 5400,
    "prices.fail_after_promise_s": 900,
    "prices.fail_fixed": 30_000,
    "prices.work_per_s": 100,
    "prices.scarce_work_per_s": -60,
    "reposition.priced": True,
    "reposition.quiet_after": 3.0,
    "search.work_per_order": 240,
}

PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "balanced",
            "Keep promises without driving more: a missed one counts like 13 minutes of one customer's waiting, "
            "and one missed by a quarter of an hour like 18.",
            _COMMON,
        ),
        Preset(
            "on_time",
            "Keep as many promises as can be kept; who is late already waits longer.",
            {
                **_COMMON,
                "prices.late_before_s": 240,
                "prices.late_per_s": 800,
                "prices.late_fixed": 0,
                "prices.fail_per_s": 100,
                "prices.fail_after_promise_s": 120,
                "prices.fail_fixed": 0,
                "prices.work_per_s": 150,
                "prices.scarce_work_per_s": -110,
            },
        ),
        Preset(
            "door",
            "Bring every order as fast as possible; what was promised hardly counts.",
            {
                **_COMMON,
                "prices.late_fixed": 0,
                "prices.fail_after_promise_s": 3600,
                "prices.fail_fixed": 600_000,
                "prices.work_per_s": 10,
                "prices.scarce_work_per_s": 40,
            },
        ),
        Preset(
            "thrifty",
            "Drive as little as possible and keep most promises.",
            {**_COMMON, "prices.late_fixed": 90_000, "prices.scarce_work_per_s": 0},
        ),
    )
}


def among(value: dict[str, Any], table: str) -> dict[str, Any]:
    """A file's content; a preset named at its top stands among the settings of `table`.

    Raises InvalidSetting where both name one.
    """
    settings = value.get(table, {})
    if KEY not in value or not isinstance(settings, dict):
        return value
    if KEY in settings:
        raise InvalidSetting(
            f"a preset is named twice: {value[KEY]!r} at the top and {settings[KEY]!r} in [{table}]",
            field=f"{table}.{KEY}",
            hint="Keep one of them.",
        )
    return {key: part for key, part in value.items() if key != KEY} | {table: {KEY: value[KEY]} | settings}


def preset(name: Any) -> Preset:
    """The preset called `name`; raises InvalidSetting naming the nearest."""
    if not isinstance(name, str):
        raise InvalidSetting(
            f"a preset is a name, not {name!r}", field=KEY, hint=f"Choose one of {', '.join(PRESETS)}."
        )
    if name in PRESETS:
        return PRESETS[name]
    near = difflib.get_close_matches(name.lower(), PRESETS, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]}?" if near else f"Choose one of {', '.join(PRESETS)}."
    raise InvalidSetting(f"there is no preset {name!r}", field=KEY, hint=hint)
