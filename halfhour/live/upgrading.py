"""What this version does to a ledger of an earlier one, said before it is done."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from api.config import Config
from api.ledger.configuration import completed, differences, openings, require_fit, require_frame
from api.ledger.protocol import Write
from api.ledger.recovery import recover
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.maintenance import backup
from dispatch.codec import SCHEMA_VERSION, encode
from dispatch.record.travel_spec import travel_spec
from dispatch.settings.presets import KEY as PRESET
from dispatch.settings.settings import Settings, text_of
from dispatch.version import __version__


class UpgradeOutlook(NamedTuple):
    """A ledger as this version finds it under a configuration."""

    entries: int
    written_by: str
    schema: int
    reads_upto: int
    open_orders: int
    riders: int
    completed: dict[str, Any]
    """Settings that the ledger does not state: they stay what they were when it was written."""
    otherwise: dict[str, tuple[Any, Any]]
    """Settings of the ledger beside those that an empty one would open with: they stay, too."""
    inputs: list[dict[str, Any]]
    """What the first start would journal because of the configuration."""
    notes: list[str]
    """What the configuration says and the ledger does not follow."""

    def lines(self) -> list[str]:
        """The same in sentences."""
        same = self.schema == self.reads_upto
        change = "this version writes the same" if same else f"this version writes schema {self.reads_upto}"
        said = [
            f"{self.entries:,} entries written by Halfhour {self.written_by} in schema {self.schema}; {change}.",
            f"They fold: {self.open_orders:,} open orders, {self.riders:,} riders.",
        ]
        if not same:
            said.append("After the first start an earlier version can no longer read it.")
        if self.completed:
            said.append(f"{len(self.completed)} settings are not stated in it: they stay what they were.")
        said += [
            f"{key} stays {text_of(mine)}; an empty ledger opens with {text_of(new)}."
            for key, (mine, new) in self.otherwise.items()
        ]
        said += [f"The first start journals {_worded(item)}." for item in self.inputs]
        return said + [f"note: {note}" for note in self.notes]


def look(folder: Path, config: Config) -> UpgradeOutlook:
    """Brings a copy of a ledger to this version and looks at that; raises what would stop a start."""
    with tempfile.TemporaryDirectory(prefix="halfhour-upgrade-") as passing:
        copy = Path(passing) / "ledger"
        backup(folder, copy)
        ledger = SqliteLedger(copy)
        try:
            header = ledger.header()
            require_frame(header, config)
            found = recover(ledger, config.engine_settings())
        finally:
            ledger.close()
    board = found.board
    require_fit(board, config, travel_spec(config.travel).bind(found.places).profiles)
    mine, new, stated = board.settings.flat(), Settings().flat(), header.get("settings") or {}
    return UpgradeOutlook(
        entries=found.seq,
        written_by=header.get("code_version", "of an unknown version"),
        schema=header.get("schema", SCHEMA_VERSION),
        reads_upto=SCHEMA_VERSION,
        open_orders=len(board.open_orders),
        riders=len(board.riders),
        completed={key: value for key, value in mine.items() if key not in (PRESET, *stated)},
        otherwise={key: (value, new[key]) for key, value in mine.items() if value not in ("", new[key])},
        inputs=[encode(make(board.now)) for make in openings(board, config)],
        notes=differences(board, config),
    )


def bring(folder: Path, target: Path) -> None:
    """Copies a ledger to `target`, then makes it one of this version and states in it what an earlier one left out."""
    backup(folder, target)
    ledger = SqliteLedger(folder)
    try:
        header = completed(ledger.header(), __version__, ledger.head())
        if header is not None:
            ledger.append(Write(extra=(("header", header),))).result()
    finally:
        ledger.close()


def _worded(item: dict[str, Any]) -> str:
    said = ", ".join(f"{key} {value}" for key, value in item.items() if key not in ("kind", "at"))
    return f"{item['kind']} ({said})"
