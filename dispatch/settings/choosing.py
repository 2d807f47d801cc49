"""Going from one preset to another: what changes, what was set singly and stays, and how it is undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dispatch.errors import InvalidSetting, Refused
from dispatch.settings.names import former_names, renamed
from dispatch.settings.presets import KEY, PRESETS, preset
from dispatch.settings.settings import Settings, text_of


class Moved(NamedTuple):
    """One setting: its value now, and the other one."""

    key: str
    now: Any
    then: Any


class Change(NamedTuple):
    """A preset about to be chosen."""

    preset: str
    values: dict[str, Any]
    """What it stands for here, by key: what the journal will hold."""
    changes: tuple[Moved, ...]
    kept: tuple[Moved, ...]
    """Set singly: they stay (`now`), though the preset says otherwise (`then`)."""


def change_to(settings: Settings, name: str, *, overwrite: bool = False) -> Change:
    """What choosing the preset `name` does; with `overwrite` also to what was set singly.

    Raises InvalidSetting for an unknown one, and where what was set singly contradicts it.
    """
    flat, wanted = settings.flat(), preset(name).values
    single = {} if overwrite else beside(settings)
    kept = {key: value for key, value in wanted.items() if key in single and value != flat[key]}
    values = {key: value for key, value in wanted.items() if key not in kept}
    try:
        settings.with_values(values)
    except InvalidSetting as problem:
        problem.hint += " Or let the preset replace what was set singly: halfhour admin preset --overwrite."
        raise
    return Change(name, values, _moved(flat, values), _moved(flat, kept))


def change_back(settings: Settings, before: Mapping[str, Any] | None) -> Change:
    """What undoing the last choice does; raises Refused where there is none."""
    if before is None:
        raise Refused("no preset was chosen that could be undone", code="nothing_to_undo")
    values = {key: value for key, value in before.items() if key != KEY}
    return Change(before[KEY], values, _moved(settings.flat(), values), ())


def beside(settings: Settings) -> dict[str, Any]:
    """Settings that are not what the preset stands for (without one: not as in 0.1.0), by key."""
    usual = PRESETS[settings.preset].values if settings.preset in PRESETS else Settings.stated({}).flat()
    return {key: value for key, value in settings.flat().items() if value != usual.get(key, value)}


def remarks(values: Mapping[str, Any], settings: Settings) -> list[str]:
    """What people should know of settings that they wrote, a sentence each: former names, contradictions.

    `settings`: what is in force, of which `values` are a part.
    """
    said = former_names(values)
    written = [key for key, _ in map(renamed, values.items())]
    if values.get(KEY):
        said += _contradictions(written, settings)
    return said + _idle(written, settings) + _free_work(written, settings)


def still_true(notes: Sequence[str], before: Settings, after: Settings) -> tuple[str, ...]:
    """Notes without the remarks on `before` that do not stand under `after`, which overrules some of it."""
    gone = set(remarks(before.flat(), before)).difference(remarks(after.flat(), after))
    return tuple(note for note in notes if note not in gone)


def _contradictions(written: Sequence[str], settings: Settings) -> list[str]:
    """Single settings that win over the preset stated beside them."""
    flat, usual, idle = settings.flat(), preset(settings.preset).values, _without_effect(settings)
    return [
        f"{key} = {text_of(flat[key])} stands, not {text_of(usual[key])} of the preset {settings.preset}."
        for key in written
        if key in usual and key not in idle and flat[key] != usual[key]
    ]


def _idle(written: Sequence[str], settings: Settings) -> list[str]:
    """Single settings without effect, where they are neither as everywhere nor as the preset has them."""
    flat, idle = settings.flat(), _without_effect(settings)
    usual = Settings().flat()
    own = PRESETS[settings.preset].values if settings.preset in PRESETS else Settings.stated({}).flat()
    return [
        f"{key} = {text_of(flat[key])} does nothing: {idle[key]}."
        for key in written
        if key in idle and flat[key] not in (usual[key], own.get(key, usual[key]))
    ]


def _free_work(written: Sequence[str], settings: Settings) -> list[str]:
    """Prices of work that leave it free of charge where riders are scarce."""
    prices, keys = settings.prices, ("prices.work_per_s", "prices.scarce_work_per_s")
    if prices.work_per_s + prices.scarce_work_per_s >= 0 or not set(keys).intersection(written):
        return []
    sums = f"{keys[0]} = {prices.work_per_s} and {keys[1]} = {prices.scarce_work_per_s}"
    return [f"{sums} make work free of charge where riders are scarce."]


def _without_effect(settings: Settings) -> dict[str, str]:
    """Thresholds that nothing reads under these settings, and what is read instead."""
    prices = settings.prices
    idle = "late_after_s" if prices.late_from == "promise" else "late_before_s"
    found = {f"prices.{idle}": f"prices.late_from = {prices.late_from}"}
    if prices.fail_after_promise_s:
        found["prices.fail_after_s"] = f"prices.fail_after_promise_s = {prices.fail_after_promise_s} counts"
    return found


def _moved(flat: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[Moved, ...]:
    return tuple(Moved(key, flat[key], value) for key, value in values.items() if value != flat[key])
