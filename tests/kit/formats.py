"""What each format that is written down holds: fields and their defaults, columns, settings.

    python -m tests.kit.formats      # freezes the layouts of formats that have a new number

A default or a field belongs to the number of its format.  Whoever changes one raises the number; what was frozen under
an earlier number stays as it is.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from pathlib import Path
from typing import Any, NamedTuple

import dispatch.board.records
import dispatch.board.stock
import dispatch.board.store_demand
import dispatch.codec
import dispatch.custody
import dispatch.events
import dispatch.inputs
import dispatch.model
import dispatch.promise.told
import dispatch.receipts
import dispatch.ways
from dispatch.codec import SCHEMA_VERSION, plain
from dispatch.record import run_folder
from dispatch.record.catalogue import CATALOGUE_FORMAT, Catalogue, Pay
from dispatch.record.journal import Header
from dispatch.record.travel_spec import MatrixSpec, RoadsSpec, StraightSpec
from dispatch.settings.defaults_0_1 import DEFAULTS_0_1
from dispatch.settings.settings import Settings
from sim.scenario import Reality
from sim.sources import folder, folder_writer

FROZEN = Path(__file__).parents[1] / "golden" / "formats"
REQUIRED = "(required)"
MODULES = (
    dispatch.inputs,
    dispatch.events,
    dispatch.model,
    dispatch.promise.told,
    dispatch.board.records,
    dispatch.board.stock,
    dispatch.board.store_demand,
    dispatch.custody,
    dispatch.receipts,
    dispatch.ways,
)

CLASSES: dict[str, Any] = {
    name: cls
    for module in MODULES
    for name, cls in sorted(vars(module).items())
    if isinstance(cls, type) and cls.__module__ == module.__name__
}


def fields_of(cls: Any) -> dict[str, Any]:
    """Every field with its default as JSON values, in order."""
    if not dataclasses.is_dataclass(cls):
        return {name: plain(cls._field_defaults.get(name, REQUIRED)) for name in cls._fields}
    return {item.name: _default(item) for item in dataclasses.fields(cls)}


def _default(item: dataclasses.Field[Any]) -> Any:
    if item.default_factory is not dataclasses.MISSING:
        return plain(item.default_factory())
    return REQUIRED if item.default is dataclasses.MISSING else plain(item.default)


def journalled() -> dict[str, Any]:
    """Everything that a journal or a snapshot holds, by name."""
    found: dict[str, Any] = {}
    for name, cls in CLASSES.items():
        if issubclass(cls, enum.Enum):
            found[name] = [member.value for member in cls]
        elif dataclasses.is_dataclass(cls) or hasattr(cls, "_fields"):
            found[name] = fields_of(cls)
    return found


class Format(NamedTuple):
    """A format under its present number, and where that number stands."""

    name: str
    number: int
    raised_in: str
    layout: dict[str, Any]

    @property
    def file(self) -> Path:
        """Where its layout is frozen."""
        return FROZEN / f"{self.name}-{self.number}.json"

    @property
    def text(self) -> str:
        """Its layout as it is frozen."""
        return json.dumps(self.layout, indent=1, ensure_ascii=False) + "\n"


def formats() -> list[Format]:
    """All of them, as they are now."""
    journal = {
        **journalled(), "Header": fields_of(Header), "settings where nothing states them": dict(DEFAULTS_0_1),
        "orders.csv": run_folder.ORDER_COLUMNS, "riders.csv": run_folder.RIDER_COLUMNS,
        "summary.json": run_folder.IN_EVERY_SUMMARY,
        "files": [run_folder.SUMMARY, run_folder.ORDERS, run_folder.RIDERS, run_folder.JOURNAL, run_folder.CATALOGUE],
    }  # fmt: skip
    catalogue = {one.__name__: fields_of(one) for one in (Catalogue, Pay, StraightSpec, MatrixSpec, RoadsSpec)}
    # Its settings are a group of their own, stated by value in every file.
    catalogue["Catalogue"] = dict.fromkeys(catalogue["Catalogue"])
    scenario = {
        "scenario.toml": folder.KEYS, "truth": fields_of(Reality), "coordinates": folder.COORDINATES,
        "stores.csv": folder_writer.STORE_COLUMNS, "riders.csv": folder_writer.RIDER_COLUMNS,
        "orders.csv": folder_writer.ORDER_COLUMNS, "settings that a folder leaves out": Settings().flat(),
    }  # fmt: skip
    return [
        Format("journal", SCHEMA_VERSION, "dispatch/codec.py", journal),
        Format("catalogue", CATALOGUE_FORMAT, "dispatch/record/catalogue.py", catalogue),
        Format("scenario", folder.FORMAT, "sim/sources/folder.py", scenario),
    ]


def main() -> None:
    """Freeze what is not frozen yet."""
    FROZEN.mkdir(parents=True, exist_ok=True)
    for one in formats():
        if not one.file.exists():
            one.file.write_text(one.text, encoding="utf-8")
            print(f"frozen: {one.file}")


if __name__ == "__main__":
    main()
