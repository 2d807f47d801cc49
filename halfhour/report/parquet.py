"""The tables of a folder once more as Parquet, beside their CSV: typed, for whoever reads many of them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from routing.errors import Unsupported

TABLES = ("orders.csv", "riders.csv", "use.csv", "runs.csv")
"""Of run folders, and of experiments."""
TEXT = (
    "order_id", "store_id", "state", "rider_id", "end_reason", "reason", "profile", "engagement", "of", "name", "arm",
    "day", "key", "decision_digest",
)  # fmt: skip
"""Columns that hold words, whatever they look like; all others hold numbers."""


def require_parquet() -> None:
    """Raise Unsupported where nothing can write Parquet: before a day is replayed, not after."""
    if find_spec("pyarrow") is None:
        raise Unsupported("Parquet needs pyarrow", hint='Install "halfhour[analysis]".')


def write_parquet(folder: Path) -> list[Path]:
    """Write NAME.parquet beside every table of a folder; the paths.  Raises Unsupported without pyarrow."""
    require_parquet()
    return [_written(folder / name) for name in TABLES if (folder / name).is_file()]


def _written(table: Path) -> Path:
    import pandas as pd

    frame = pd.read_csv(
        table,
        dtype=dict.fromkeys(TEXT, "string"),
        dtype_backend="numpy_nullable",
        keep_default_na=False,
        na_values=[""],
    )
    path = table.with_suffix(".parquet")
    frame.to_parquet(path, engine="pyarrow", index=False)
    return path
