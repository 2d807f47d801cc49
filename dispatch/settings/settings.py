"""Settings: one schema for scenarios, the command line (`--set rules.round_s=30`) and the live service.

A setting is a field of one of the frozen dataclasses below; its metadata teach `halfhour config explain KEY`.  What is
written down states every setting (`flat`) and is read by `stated`, which no later default can change.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dispatch.errors import InvalidSetting
from dispatch.settings.defaults_0_1 import DEFAULTS_0_1
from dispatch.settings.groups import Prices, Reposition, Rules, Search
from dispatch.settings.names import BOOLEANS, FORMER, former_names, renamed
from dispatch.settings.presets import DEFAULT, preset
from dispatch.settings.presets import KEY as PRESET


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one engine."""

    rules: Rules = field(default_factory=Rules)
    prices: Prices = field(default_factory=Prices)
    search: Search = field(default_factory=Search)
    reposition: Reposition = field(default_factory=Reposition)

    preset: str = DEFAULT
    """The preset that these began with; none where it is empty."""

    @classmethod
    def stated(cls, values: Mapping[str, Any]) -> Settings:
        """The settings that a journal, catalogue, snapshot or folder states; what it leaves out is as in 0.1.0."""
        usual = dict(map(renamed, DEFAULTS_0_1.items()))
        return cls().with_stated({PRESET: "", **usual, **dict(map(renamed, values.items()))})

    def with_stated(self, values: Mapping[str, Any]) -> Settings:
        """A copy with what was written down once, however: it is read for ever.

        A preset is its name alone here: the values it stood for are stated beside it.  A number beyond the bounds of
        this version is the nearest that it can hold.
        """
        single = {key: value for key, value in values.items() if key != PRESET}
        return dataclasses.replace(self, preset=str(values.get(PRESET, self.preset)))._set(single, written=True)

    def with_values(self, values: Mapping[str, Any], *, ordered: bool = True) -> Settings:
        """A copy with `values` set by key, `preset` before all others; raises InvalidSetting.

        Without a preset (the empty name) what presets state is as in 0.1.0.  Not `ordered`: thresholds may lie in the
        wrong order, for they are to be seen beside other settings than these.
        """
        former_names(values)  # raises where one stands under both its names
        name = values.get(PRESET, self.preset)
        usual = _stood_for(name) if PRESET in values else {}
        single = {key: value for key, value in values.items() if key != PRESET}
        made = dataclasses.replace(self, preset=name)._set({**usual, **single})
        if ordered and not ORDERED.isdisjoint(key for key, _ in map(renamed, {**usual, **single}.items())):
            _require_order(made.rules.promise_s, made.prices)
        return made

    def _set(self, values: Mapping[str, Any], *, written: bool = False) -> Settings:
        blocks: dict[str, dict[str, Any]] = {}
        for key, value in map(renamed, values.items()):
            known = describe(key)
            blocks.setdefault(known.section, {})[known.name] = _parsed(known, value, written)
        made = {section: dataclasses.replace(getattr(self, section), **block) for section, block in blocks.items()}
        return dataclasses.replace(self, **made)

    def flat(self) -> dict[str, Any]:
        """The preset's name and every setting by key, in the order of the schema: what is written down."""
        single = {known.key: getattr(getattr(self, known.section), known.name) for known in schema()}
        return {PRESET: self.preset, **single}

    def changed(self) -> dict[str, Any]:
        """The settings that differ from the defaults, for people: files state them all."""
        usual = Settings().flat()
        return {key: value for key, value in self.flat().items() if value != usual[key]}


def _stood_for(name: Any) -> Mapping[str, Any]:
    if name != "" or not isinstance(name, str):
        return preset(name).values
    before = Settings.stated({}).flat()
    return {key: before[key] for key in preset(DEFAULT).values}


def text_of(value: Any) -> str:
    """A setting's value as people write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Known(NamedTuple):
    """One setting as documented."""

    key: str
    section: str
    name: str
    kind: type
    default: Any
    doc: str
    choices: tuple[str, ...]
    low: float | None
    high: float | None
    live: bool
    check: Callable[[str], None] | None


def schema() -> tuple[Known, ...]:
    """Every setting, in order."""
    return tuple(_SCHEMA.values())


def describe(key: str) -> Known:
    """One setting, also by a former name; raises InvalidSetting naming the nearest valid key."""
    key = FORMER.get(key, key)
    if key in _SCHEMA:
        return _SCHEMA[key]
    near = difflib.get_close_matches(key, _SCHEMA, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]}?" if near else "`halfhour config show` lists all settings."
    raise InvalidSetting(f"there is no setting {key!r}", field=key, hint=hint)


def _collect() -> dict[str, Known]:
    found = {}
    for block in dataclasses.fields(Settings):
        if block.name == PRESET:
            continue
        section: Any = block.default_factory
        for item in dataclasses.fields(section):
            key = f"{block.name}.{item.name}"
            meta = item.metadata
            found[key] = Known(
                key, block.name, item.name, type(item.default), item.default,
                meta["doc"], meta["choices"], meta["low"], meta["high"], meta["live"], meta["check"],
            )  # fmt: skip
    return found


_SCHEMA = _collect()

LATE_AFTER, FAIL_AFTER, FAIL_AFTER_PROMISE = (
    "prices.late_after_s", "prices.fail_after_s", "prices.fail_after_promise_s"
)  # fmt: skip
LATE_BEFORE, LATE_FROM, PROMISE = "prices.late_before_s", "prices.late_from", "rules.promise_s"

ORDERED = frozenset({LATE_AFTER, FAIL_AFTER, FAIL_AFTER_PROMISE, LATE_BEFORE, LATE_FROM, PROMISE})
"""Settings by which thresholds can come into the wrong order."""


_ORDER_HINT = "An order is late before it has failed: let the second be the larger one, and change it first."
_BY_PLACEMENT = f" With {FAIL_AFTER_PROMISE} = 0 both count from the placement, the second by {FAIL_AFTER}."


def _require_order(promise_s: int, prices: Prices) -> None:
    """Raises InvalidSetting where an order under the usual promise would have failed before it is late."""
    late_key, late, late_s = LATE_AFTER, prices.late_after_s, prices.late_after_s
    if prices.late_from == "promise":
        late_key, late, late_s = LATE_BEFORE, prices.late_before_s, promise_s - prices.late_before_s
    fail_key, fail, fail_s = FAIL_AFTER, prices.fail_after_s, prices.fail_after_s
    if prices.fail_after_promise_s:
        fail_key, fail = FAIL_AFTER_PROMISE, prices.fail_after_promise_s
        fail_s = promise_s + fail
    if late_s > fail_s:
        raise InvalidSetting(
            f"{late_key} = {late} lies behind {fail_key} = {fail}: with {PROMISE} = {promise_s} an order is late "
            f"{late_s} s after its placement and has failed after {fail_s} s",
            field=late_key,
            hint=_ORDER_HINT + (_BY_PLACEMENT if late_key == LATE_AFTER and fail_key == FAIL_AFTER_PROMISE else ""),
        )


def _parsed(known: Known, value: Any, written: bool) -> Any:
    """`value` (text or the right type already) as the setting's type, inside its bounds.

    `written`: what an earlier version took stays readable, a number at the nearest bound.
    """
    text = str(value).strip()
    try:
        if known.kind is bool:
            parsed: Any = BOOLEANS[text.lower()]
        elif known.kind is int:
            parsed = int(text)
        elif known.kind is float:
            parsed = float(text)
        else:
            parsed = text
    except (KeyError, ValueError):
        raise InvalidSetting(
            f"{known.key}={text}: not a {known.kind.__name__}", field=known.key, hint=known.doc
        ) from None
    if known.choices and parsed not in known.choices:
        raise InvalidSetting(f"{known.key}={text}", field=known.key, hint=f"Choose one of {', '.join(known.choices)}.")
    if known.check is not None:
        known.check(parsed)
    if known.kind in (int, float):
        low = known.low if known.low is not None else float("-inf")
        high = known.high if known.high is not None else float("inf")
        if written:
            return known.kind(max(low, min(parsed, high)))
        if not low <= parsed <= high:
            raise InvalidSetting(
                f"{known.key}={text} is out of bounds", field=known.key, hint=f"Between {low:g} and {high:g}."
            )
    return parsed
