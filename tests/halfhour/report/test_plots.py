"""Charts of a run as pictures: each can be drawn, says what it shows, and is the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch.record.catalogue import Catalogue
from dispatch.record.kpi import KpiFold
from halfhour.report.figures import FilmClock
from halfhour.report.plots import CHARTS, PlotInput, write_plot
from routing.errors import HalfhourError, InvalidInput

pytest.importorskip("matplotlib")


@pytest.fixture
def given(day: tuple[Catalogue, KpiFold]) -> PlotInput:
    return PlotInput(*day, None, FilmClock("UTC"))


WORDS = {
    "orders": ("under way", "placed", "delivered", "22:15"),
    "lateness": ("minutes after the promise",),
    "riders": ("waiting for goods", "share of riders on duty"),
    "minutes": ("kitchen", "waiting", "driving", "batching", "handover", "hour of placement"),
    "promises": (),
    "calibration": ("probability said that the promise is kept",),
}


@pytest.mark.parametrize("what", list(CHARTS))
def test_each_chart_says_what_it_shows_and_is_the_same_each_time(what: str, given: PlotInput, tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_plot(tmp_path / f"{name}.svg", what, given, title="A day: nearest")
    drawn = (tmp_path / "one.svg").read_text()
    assert drawn == (tmp_path / "other.svg").read_text()
    assert all(f">{word}<" in drawn for word in ("A day: nearest", *WORDS[what]))


def test_a_picture_of_points(given: PlotInput, tmp_path: Path) -> None:
    write_plot(tmp_path / "one.png", "lateness", given, title="A day", width=4)
    assert (tmp_path / "one.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("what", "file", "words"),
    [("pie", "one.svg", "there is no chart 'pie'"), ("orders", "one.gif", "one.gif: pictures end in .png")],
)
def test_what_cannot_be_drawn_is_said(what: str, file: str, words: str, given: PlotInput, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=words):
        write_plot(tmp_path / file, what, given, title="")
    assert not list(tmp_path.iterdir())


def test_a_day_of_which_nothing_was_said(given: PlotInput, tmp_path: Path) -> None:
    silent = given._replace(fold=KpiFold(given.catalogue))
    with pytest.raises(InvalidInput, match="nothing was said"):
        write_plot(tmp_path / "one.svg", "calibration", silent, title="")
    for what in ("orders", "promises"):
        with pytest.raises(HalfhourError, match="no order to report on"):
            write_plot(tmp_path / "one.svg", what, silent, title="")
