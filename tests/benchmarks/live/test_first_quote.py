"""The page of the first quote tells what the benchmark does: the same commands, tables that are read."""

from __future__ import annotations

import re
from pathlib import Path

from api.config import read_config
from benchmarks.live import first_quote
from halfhour.live.tables import read_table
from tests.architecture.sources import ROOT

PAGE = (ROOT / "docs" / "first-quote.md").read_text(encoding="utf-8")


def test_the_page_says_every_command_that_is_run() -> None:
    for words in (first_quote.INSTALL, *first_quote.COMMANDS, first_quote.SERVE, *first_quote.IMPORTS):
        assert " ".join(words) in PAGE
    assert first_quote.CITY in PAGE
    for name, value in first_quote.QUOTE.items():
        assert name in PAGE and (not isinstance(value, str) or value in PAGE)


def test_the_tables_of_the_page_and_of_the_benchmark_are_read(tmp_path: Path) -> None:
    (stores, riders) = re.findall(r"```\n((?:store|rider)_id,.*?)```", PAGE, flags=re.S)
    for what, texts, more in (
        ("store_id", (stores, first_quote.STORES), ("name", "mean_ready_s", "tenants")),
        ("rider_id", (riders, first_quote.RIDERS), ("name",)),
    ):
        for text in texts:
            (tmp_path / "table.csv").write_text(text)
            assert read_table(tmp_path / "table.csv", (what, "lat", "lng"), more)
        assert texts[0].splitlines()[0] == texts[1].splitlines()[0]
        assert texts[0].splitlines()[1] in texts[1]
    (tmp_path / "city.toml").write_text(first_quote.CITY)
    assert read_config(tmp_path / "city.toml").travel["kind"] == "straight"
