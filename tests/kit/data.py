"""Where the public benchmark data lies: the one look-up of HALFHOUR_DATA for tests (docs/benchmarks.md)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_NAMED = os.environ.get("HALFHOUR_DATA", "")

ROOT: Path | None = Path(_NAMED) if _NAMED and Path(_NAMED).is_dir() else None
"""The data folder, or None where the variable is unset or names no folder."""

needs_data = pytest.mark.skipif(
    ROOT is None, reason="HALFHOUR_DATA names no folder with the public benchmark data (docs/benchmarks.md)"
)
"""Marks a test that reads public data; it is skipped, with the reason, where there is none."""


def folder(*parts: str) -> Path:
    """A file or folder of the data, e.g. `folder("grubhub", "0o50t100s1p100")`; skips the test where it is missing."""
    if ROOT is None:
        pytest.skip("HALFHOUR_DATA names no folder with the public benchmark data (docs/benchmarks.md)")
    path = ROOT.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the benchmark data hold no {'/'.join(parts)}")
    return path


def grubhub_instances() -> list[Path]:
    """Every Grubhub instance folder at hand, by name; empty without the data."""
    if ROOT is None:
        return []
    return sorted(path.parent for path in ROOT.glob("grubhub/*/instance_parameters.txt"))
