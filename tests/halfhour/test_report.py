"""The report: figures that add up, charts that are drawn, a page that opens without a network."""

from __future__ import annotations

import asyncio
import json
import re
from html.parser import HTMLParser

import pytest

from dispatch.record.kpi import kpis
from dispatch.record.run_folder import RunFolder
from halfhour.replaying import MAP_FILE, reread
from halfhour.report import charts, figures
from halfhour.report.charts import Series
from halfhour.report.kpi_table import BY_KEY, FIGURES, verdict, written
from halfhour.report.page import page
from tests.kit.service.browser import CHROMIUM
from tests.kit.service.browser import page as browser_page


@pytest.fixture(scope="module")
def run(nearest_run):
    folder = RunFolder(nearest_run)
    return folder, kpis(folder.catalogue, folder.entries())


def test_orders_over_time_add_up(run):
    _, fold = run
    span = figures.span_of(fold)
    under_way, placed, delivered = figures.orders_over_time(list(fold.orders.values()), span)
    assert sum(placed.values) == 60
    assert sum(delivered.values) == sum(life.delivered_at is not None for life in fold.orders.values())
    assert len(placed.values) == span.count
    open_at_end = sum(life.ended_at is None for life in fold.orders.values())
    assert under_way.values[-1] == open_at_end
    # The third step by hand: placed so far, less ended so far.
    until = span.begin + 3 * span.step
    lives = fold.orders.values()
    placed = sum(life.order.placed_at < until for life in lives)
    by_hand = placed - sum((life.ended_at or until) < until for life in lives)
    assert under_way.values[2] == by_hand


def test_lateness_is_split_at_the_promise(run):
    _, fold = run
    edges, counts = figures.arrival_histogram(list(fold.orders.values()))
    on_time = sum(value for low, value in zip(edges, counts.values, strict=False) if low < 0)
    assert on_time == sum(life.is_on_time for life in fold.orders.values())
    assert sum(counts.values) == sum(life.delivered_at is not None for life in fold.orders.values())


def test_a_delivery_on_the_second_of_the_promise_is_on_time(run):
    _, fold = run
    life = next(iter(fold.orders.values()))
    exact = type(life)(life.order, delivered_at=life.order.due_at)
    late = type(life)(life.order, delivered_at=life.order.due_at + 1)
    edges, counts = figures.arrival_histogram([exact, late])
    zero = edges.index(0.0)
    assert (counts.values[zero - 1], counts.values[zero]) == (1, 1)


def test_shares_of_the_fleet_never_exceed_one(run):
    folder, fold = run
    span = figures.span_of(fold)
    series = figures.fleet_over_time(folder.catalogue, fold, span)
    for step in range(span.count):
        parts = [one.values[step] for one in series]
        assert all(part >= 0 for part in parts)
        assert sum(parts) <= 1 + 1e-9
    assert max(series[0].values) > 0.1


def test_the_film_shows_every_order_and_leg(run):
    folder, fold = run
    span = figures.span_of(fold)
    film = figures.film(folder.catalogue, fold, span)
    assert [row[7] for row in film["orders"]] == list(fold.orders)
    assert len(film["legs"]) == len(fold.legs)
    width, height = film["size"]
    for _, departed, arrived, x0, y0, x1, y1, _, left in film["legs"]:
        assert departed <= arrived <= left
        assert min(x0, x1) >= 0 and max(x0, x1) <= width
        assert min(y0, y1) >= 0 and max(y0, y1) <= height
    json.dumps(film)


def test_an_empty_chart_is_drawn_all_the_same():
    clock = figures.FilmClock("UTC")
    nothing = [Series("none", "a", [0])]
    for drawn in (
        charts.lines_over_time(0, 60, nothing, clock, "none"),
        charts.shares_over_time(0, 60, nothing, clock, "none"),
        charts.histogram([0.0, 1.0], nothing, "min", "none"),
    ):
        assert drawn.startswith("<svg") and drawn.endswith("</svg>") and "nan" not in drawn


@pytest.mark.parametrize("high", [0, 0.3, 1, 7, 12, 99, 1000, 123_456])
def test_ticks_are_round_and_cover(high):
    ticks = charts._ticks(high)
    assert ticks[0] == 0 and ticks[-1] >= high and 2 <= len(ticks) <= 6


def test_a_difference_is_judged_by_its_sense():
    on_time, driven = BY_KEY["on_time_share"], BY_KEY["driven_s_per_order"]
    assert verdict(on_time, {"on_time_share": 0.9}, {"on_time_share": 0.8}) == ("+10.0 points", "better")
    assert verdict(driven, {"driven_s_per_order": 120}, {"driven_s_per_order": 60}) == ("+1.0 min", "worse")
    assert verdict(driven, {"driven_s_per_order": 60}, {"driven_s_per_order": 60}) == ("same", "")
    assert verdict(driven, {"driven_s_per_order": None}, {"driven_s_per_order": 60}) == ("", "")
    assert written(driven, {}) == "–"


class Elements(HTMLParser):
    """Counts elements, and addresses that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.fetched: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.fetched += [value for name, value in attrs if name in ("src", "href") and value]


def test_the_page_is_whole_and_fetches_nothing(nearest_run, our_run):
    text = (our_run / "report.html").read_text(encoding="utf-8")
    found = Elements()
    found.feed(text)
    assert found.fetched == []
    assert "@import" not in text and "url(" not in text
    assert found.counts["svg"] == 4 and found.counts["canvas"] == 1
    summary = json.loads((our_run / "summary.json").read_text())
    for figure in FIGURES:
        assert (figure.title in text) == (figure.always or summary[figure.key] is not None)
    assert written(BY_KEY["on_time_share"], summary) in text
    assert "no real place" in text


def test_beside_a_baseline_both_are_named(nearest_run, our_run):
    folder = RunFolder(our_run)
    summary, fold = reread(our_run)
    features = json.loads((our_run / MAP_FILE).read_text())
    text = page(folder.catalogue, fold, summary, baseline=reread(nearest_run), features=features)
    assert "beside <b>nearest</b>" in text
    assert "nearest (outline)" in text
    assert '"river"' in text


def test_a_hostile_name_stays_text(run):
    folder, fold = run
    summary = {**folder.summary, "scenario": "<script>alert(1)</script>"}
    assert "<script>alert" not in page(folder.catalogue, fold, summary)


def test_a_replay_cut_short_says_so(run):
    folder, fold = run
    assert "stopped before the day was over" in page(folder.catalogue, fold, {**folder.summary, "complete": False})


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_the_report_lives_in_a_browser(our_run, tmp_path):
    async def look() -> None:
        async with browser_page() as tab:
            await tab.size(1240, 1600)
            await tab.open((our_run / "report.html").resolve().as_uri())
            shown = "document.getElementById('counts').textContent"
            before = await tab.js(shown)
            assert re.search(r"\d+ orders waiting, \d+ on their way, \d+ delivered", before)
            await tab.js(
                "(s => { s.value = s.max; s.dispatchEvent(new Event('input')); })(document.getElementById('instant'))"
            )
            delivered = json.loads((our_run / "summary.json").read_text())["delivered"]
            assert f" {delivered} delivered" in await tab.js(shown)
            await tab.js("document.getElementById('theme').click()")
            assert await tab.js("document.documentElement.dataset.theme") in ("light", "dark")
            await tab.size(400, 800, mobile=True)
            assert await tab.js("document.documentElement.scrollWidth <= 400")
            assert tab.complaints == []
            assert [url for url in tab.requests if not url.startswith("file:")] == []

    asyncio.run(look())
