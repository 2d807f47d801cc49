"""The page of the streets' results: every subject has its rows, from the newest file of each."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.resumable import ROOT
from benchmarks.roads.page import page

RESULTS = {
    "roads-exact": {
        "town": {"comparisons": [{"pairs": 1200, "differ": 3}, {"pairs": 800, "differ": 0}]},
        "pairs": 2000,
    },
    "roads-lawful": {
        "town.osm.pbf": {
            "bike": {
                "pairs": 100, "reached_by_one_alone": 1, "streets_of_one_alone": [7], "worst": 1.0041,
                "break_something": 2, "routes": 50,
            }
        }
    },
    "roads-addresses": {"small_town.osm.pbf": {"alone": 0.05, "named": 0.001, "nearest_street": 0.1}},
    "roads-live": {
        "rows": [{"jam": "even", "riders": 60, "minutes_until_half_is_known": 4, "errors": {"jam": {"ratio": 0.61}}}]
    },
    "roads-speed": {
        "table": {"times_as_fast": 12.34, "by_cpu": 10.0, "floor": 8.0, "aim": 15.0},
        "city file": {"mb": 37.4, "floor": 60.0, "aim": 30.0},
    },
    "roads-osrm-medians": {"town.osm.pbf": {"median": 0.987}},
}  # fmt: skip
WANTED = (
    "| 3 of 2,000 | 0 |",
    "| 1.0041; 2 of 100 pairs | 1.005; 0 |",
    "| 2 of 50 | 0 |",
    "| small town: addresses at another named street, by coordinates alone / with the name | 5.0% / 0.1% | 10.0%",
    "| 4; 0.61 | 5; .7 | .5 |",
    "| 12.3 times as fast (10.0 by CPU time) | 8 | 15 |",
    "| city file | 37.4 MB | 60 MB | 30 MB |",
    "| 0.987 | .85-1.15 |",
)


def written(folder: Path, subject: str, date: str, results: object) -> None:
    told = {"subject": subject, "date": date, "versions": {"processor": "one core"}, "results": results}
    (folder / f"{date}-0.2.0-{subject}.json").write_text(json.dumps(told))


def test_every_subject_has_its_rows(tmp_path: Path) -> None:
    for subject, results in RESULTS.items():
        written(tmp_path, subject, "2026-01-02", results)
    written(tmp_path, "roads-osrm-medians", "2026-01-01", {"town.osm.pbf": {"median": 9.0}})
    text = page(tmp_path)
    for row in WANTED:
        assert row in text
    assert "9.000" not in text, "an older result does not count"
    assert text.count("[2026-01-02](../../benchmarks/results/2026-01-02-0.2.0-") == 8
    assert len(page(tmp_path / "none").splitlines()) < len(text.splitlines())


def test_the_page_says_what_was_measured() -> None:
    assert (ROOT / "docs" / "results" / "roads.md").read_text(encoding="utf-8") == page(ROOT / "benchmarks" / "results")
