"""Tables as Parquet say what the CSV beside them says, with types."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from halfhour.commands import main
from halfhour.report import parquet
from routing.errors import Unsupported
from tests.kit.folders import FILES, written

pd = pytest.importorskip("pandas")


def said(value: object) -> str:
    """A cell as CSV has it."""
    if value is None or value is pd.NA:
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value)


def test_a_replay_writes_its_tables_with_types(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    # An id that looks like a number, and one that looks like nothing.
    orders = FILES["orders.csv"].replace("\nb,kiosk", "\n007,NA")
    stores = FILES["stores.csv"].replace("kiosk", "NA")
    day = written(tmp_path / "day", **{"orders.csv": orders, "stores.csv": stores})
    with pytest.raises(SystemExit) as left:
        main(["replay", str(day), "--policy", "nearest", "--out", str(tmp_path / "run"), "--parquet"])
    assert left.value.code == 0 and "orders.parquet" in capsys.readouterr().out
    for name in ("orders", "riders", "use"):
        frame = pd.read_parquet(tmp_path / "run" / f"{name}.parquet")
        with (tmp_path / "run" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert list(frame.columns) == list(rows[0]) and len(frame) == len(rows)
        for (_, line), row in zip(frame.iterrows(), rows, strict=True):
            for column, cell in row.items():
                found = said(line[column])
                assert found == cell or float(found) == float(cell), (name, column, found, cell)
    kinds = pd.read_parquet(tmp_path / "run" / "orders.parquet").dtypes.astype(str)
    assert kinds["order_id"] == "string" and kinds["placed_at"] == "Int64" and kinds["due_at"] == "Int64"


def test_without_pyarrow_nothing_is_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parquet, "find_spec", lambda name: None)
    with pytest.raises(Unsupported):
        parquet.write_parquet(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["replay", str(written(tmp_path / "day")), "--out", str(tmp_path / "run"), "--parquet"])
    assert left.value.code == 2 and "halfhour[analysis]" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
