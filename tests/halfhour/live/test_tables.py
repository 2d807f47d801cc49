"""Tables of stores and riders as people save them."""

from __future__ import annotations

from pathlib import Path

import pytest

from halfhour.live.tables import read_table
from routing.errors import HalfhourError

NEEDED, MORE = ("store_id", "lat", "lng"), ("name", "mean_ready_s")


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "stores.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("store_id,lat,lng,name\ns1,48.137,11.575,Café\n", "utf-8"),
        ("store_id,lat,lng,name\r\ns1,48.137,11.575,Café\r\n", "utf-8-sig"),
        ("store_id;lat;lng;name\ns1;48,137;11,575;Café\n", "utf-8"),
        ("store_id; lat; lng; name\ns1; 48.137; 11.575; Café\n", "utf-8-sig"),
    ],
)
def test_a_table_is_read_as_spreadsheets_save_it(tmp_path: Path, text: str, encoding: str) -> None:
    rows = read_table(table(tmp_path, text, encoding), NEEDED, MORE)
    assert rows == [(2, {"store_id": "s1", "lat": 48.137, "lng": 11.575, "name": "Café"})]


def test_another_encoding_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(HalfhourError, match="not UTF-8: byte 0xe9") as problem:
        read_table(table(tmp_path, "store_id,lat,lng,name\ns1,48.1,11.5,Café\n", "latin-1"), NEEDED, MORE)
    assert "Latin-1" in problem.value.hint


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("s3,11.575,48.137", "lat and lng are swapped"),
        ("s3,11.0,148.0", "km from the other rows"),
        ("s3,148.0,11.0", "lat must lie between -90 and 90"),
        ("s3,nan,11.0", "lat must lie between"),
        ("s3,48.1,", "lng is empty"),
        ("s3,48.1,east", "is no number"),
    ],
)
def test_a_row_that_cannot_be_is_named_before_any_goes_out(tmp_path: Path, row: str, why: str) -> None:
    text = f"store_id,lat,lng\ns1,48.137,11.575\ns2,48.14,11.58\n{row}\n"
    with pytest.raises(HalfhourError, match=why) as problem:
        read_table(table(tmp_path, text), NEEDED, MORE)
    assert problem.value.details["line"] == 4
