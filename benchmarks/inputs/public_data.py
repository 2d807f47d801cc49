"""Where the public benchmark data lies: the one look-up of HALFHOUR_DATA for benchmarks (docs/benchmarks.md)."""

from __future__ import annotations

import os
from pathlib import Path

from routing.errors import HalfhourError


class DataMissing(HalfhourError):
    """The public benchmark data are not at hand."""

    code = "data_missing"


def root() -> Path | None:
    """The data folder, or None where HALFHOUR_DATA is unset or names no folder."""
    named = os.environ.get("HALFHOUR_DATA", "")
    return Path(named) if named and Path(named).is_dir() else None


def require(*parts: str) -> Path:
    """A file or folder of the data, e.g. `require("grubhub")`; raises DataMissing where it is not there."""
    folder = root()
    hint = "Name the folder with HALFHOUR_DATA; docs/benchmarks.md says where the data are to be had."
    if folder is None:
        raise DataMissing("HALFHOUR_DATA names no folder with the public benchmark data", hint=hint)
    path = folder.joinpath(*parts)
    if not path.exists():
        raise DataMissing(f"the benchmark data hold no {'/'.join(parts)}", hint=hint, file=str(path))
    return path


def maps(names: str = "") -> list[Path]:
    """Map files of the data, those of `names` (parted by commas) or all of them, by name."""
    folder = require("osm")
    return [folder / name for name in names.split(",")] if names else sorted(folder.glob("*.osm.*"))


def grubhub_instances(folder: Path | None = None) -> list[Path]:
    """Every Grubhub instance folder below `folder` (the data's own by default), by name."""
    folder = folder or require("grubhub")
    return sorted(path.parent for path in folder.glob("*/instance_parameters.txt"))
