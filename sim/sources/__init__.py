"""Sources of scenarios; `open_scenario` recognises them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from routing.errors import UnreadableFile
from sim.scenario import Scenario
from sim.sources import colombia, folder, grubhub


class Reader(Protocol):
    """A module that reads one format."""

    def recognises(self, path: Path) -> bool:
        """True where the folder is of this format."""

    def read(self, path: Path) -> Scenario:
        """The Scenario in the folder."""


_READERS: tuple[Reader, ...] = (folder, grubhub, colombia)


def open_scenario(path: str | Path) -> Scenario:
    """The Scenario in a folder (or its scenario.toml), whatever format it has.

    Raises UnreadableFile where the format is not known, InvalidScenario where the data contradict themselves.
    """
    where = Path(path)
    if where.name == "scenario.toml" and where.is_file():
        where = where.parent
    if not where.exists():
        raise UnreadableFile("there is no such scenario", file=str(path), hint="Check the path.")
    for reader in _READERS:
        if where.is_dir() and reader.recognises(where):
            return reader.read(where)
    raise UnreadableFile(
        "no scenario is recognised here",
        file=str(path),
        hint="Expected a folder with scenario.toml, or one of a published format (docs/scenario-folder.md).",
    )
