"""The report as one HTML file: tables, charts and the map with its time slider; nothing is fetched from anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from dispatch.record.catalogue import Catalogue
from dispatch.record.kpi import KpiFold
from halfhour.report import charts, figures, kept, truths
from halfhour.report.charts import Series
from halfhour.report.kpi_table import BY_KEY, shown, verdict, written

WIDE_FROM = 4
"""Tables with more columns take the whole width."""
TILES = ("on_time_share", "click_to_door_mean_s", "ready_to_pickup_mean_s", "orders_per_rider_hour", "utilisation")


def write_report(
    path: Path,
    catalogue: Catalogue,
    fold: KpiFold,
    summary: Mapping[str, Any],
    *,
    baseline: tuple[Mapping[str, Any], KpiFold] | None = None,
    features: dict[str, Any] | None = None,
) -> None:
    """Write report.html.

    `baseline`: summary and fold of another run of the same scenario, shown beside it.  `features`: GeoJSON lines to be
    drawn under the map.  Raises InvalidInput (`empty_day`) where there is nothing to show.
    """
    path.write_text(page(catalogue, fold, summary, baseline=baseline, features=features), encoding="utf-8")


def page(
    catalogue: Catalogue,
    fold: KpiFold,
    summary: Mapping[str, Any],
    *,
    baseline: tuple[Mapping[str, Any], KpiFold] | None = None,
    features: dict[str, Any] | None = None,
) -> str:
    """The report as HTML text."""
    span = figures.span_of(fold)
    clock = figures.FilmClock(catalogue.time_zone)
    other = baseline[0] if baseline else None
    cards = [
        _map_card(catalogue, features),
        _over_time(fold, span, clock),
        _arrivals(fold, baseline),
        _fleet(catalogue, fold, span, clock),
        _stores(fold),
        _kept_map(catalogue, fold, clock),
        *(_truth(table) for table in _truths(catalogue, fold, clock) if table is not None and table.rows),
        _kpi_card(summary, other),
    ]
    title = f"{summary['scenario']}: {summary['policy']}"
    film = figures.film(catalogue, fold, span)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)} · Halfhour</title><style>{_asset('style.css')}</style></head><body><main>",
            _header(summary, other, clock.day(span.begin)),
            _tiles(summary, other),
            '<div class="grid">',
            *cards,
            "</div>",
            _footer(catalogue, summary),
            "</main>",
            _data("film", film, f' data-zone="{escape(catalogue.time_zone, quote=True)}"'),
            _data("sheet", figures.sheet(catalogue, features)),
            f"<script>{_asset('map.js')}</script><script>{_asset('kept.js')}</script></body></html>",
            "",
        ]
    )


def _asset(name: str) -> str:
    return files("halfhour.report").joinpath(name).read_text(encoding="utf-8")


def _data(name: str, value: Any, attributes: str = "") -> str:
    # An order's id may hold anything: "</script>" must not end the element.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/").replace("<!--", "<\\!--")
    return f'<script type="application/json" id="{name}"{attributes}>{text}</script>'


def _header(summary: Mapping[str, Any], other: Mapping[str, Any] | None, day: str) -> str:
    recipe = f" ({summary['recipe']})" if summary["policy"] == "halfhour" else ""
    beside = f", beside <b>{escape(other['policy'])}</b>" if other else ""
    warning = "" if summary["complete"] else '<p class="warning">This replay was stopped before the day was over.</p>'
    return (
        f"<header><div><h1>{escape(summary['scenario'])}</h1>"
        f'<p class="sub">{escape(day)} · policy <b>{escape(summary["policy"])}</b>{recipe}, '
        f"seed {summary['seed']}{beside}</p></div>"
        f'<button id="theme" type="button">Light / dark</button></header>{warning}'
    )


def _tiles(summary: Mapping[str, Any], other: Mapping[str, Any] | None) -> str:
    tiles = [f"<b>{summary['delivered']:,}</b><span>of {summary['orders']:,} orders delivered</span>"]
    if other:
        tiles[0] += f"<small>{other['delivered']:,} with {escape(other['policy'])}</small>"
    for key in TILES:
        figure = BY_KEY[key]
        tile = f"<b>{written(figure, summary)}</b><span>{escape(figure.title)}</span>"
        if other:
            _, word = verdict(figure, summary, other)
            tile += f'<small class="{word}">{written(figure, other)} with {escape(other["policy"])}</small>'
        tiles.append(tile)
    return '<div class="tiles">' + "".join(f'<div class="tile">{tile}</div>' for tile in tiles) + "</div>"


def _card(title: str, note: str, body: str, *, wide: bool = False) -> str:
    css = "card wide" if wide else "card"
    words = f'<p class="note">{escape(note)}</p>' if note else ""
    return f'<section class="{css}"><h2>{escape(title)}</h2>{words}{body}</section>'


def _kpi_card(summary: Mapping[str, Any], other: Mapping[str, Any] | None) -> str:
    heads = [summary["policy"]] + ([other["policy"], "difference"] if other else [])
    rows = []
    for figure in shown([summary] if other is None else [summary, other]):
        cells = [escape(figure.title), f"<b>{written(figure, summary)}</b>"]
        if other:
            text, word = verdict(figure, summary, other)
            cells += [written(figure, other), f'<span class="{word}">{text}</span>']
        rows.append(cells)
    return _card("All figures", "", _table(["", *map(escape, heads)], rows), wide=True)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{title}</th>" for title in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _over_time(fold: KpiFold, span: figures.Span, clock: figures.FilmClock) -> str:
    series = figures.orders_over_time(list(fold.orders.values()), span)
    chart = charts.lines_over_time(span.begin, span.step, series, clock, "orders over time", filled=0)
    note = f"Orders under way, and orders placed and delivered in each {span.step // 60} minutes."
    return _card("Orders over time", note, chart + charts.legend(series))


def _arrivals(fold: KpiFold, baseline: tuple[Mapping[str, Any], KpiFold] | None) -> str:
    edges, ours = figures.arrival_histogram(list(fold.orders.values()))
    series = [ours]
    key = [Series("by the promise", "a", ()), Series("later", "late", ())]
    if baseline:
        _, theirs = figures.arrival_histogram(list(baseline[1].orders.values()))
        series.append(Series(str(baseline[0]["policy"]), "b", theirs.values))
        key.append(Series(f"{baseline[0]['policy']} (outline)", "b", ()))
    chart = charts.histogram(edges, series, "minutes after the promise", "lateness of orders", split_at=0.0)
    return _card("Lateness", "Delivered orders by minutes before or after their promise.", chart + charts.legend(key))


def _fleet(catalogue: Catalogue, fold: KpiFold, span: figures.Span, clock: figures.FilmClock) -> str:
    series = figures.fleet_over_time(catalogue, fold, span)
    chart = charts.shares_over_time(span.begin, span.step, series, clock, "utilisation over time")
    return _card("Utilisation", "What riders on duty were doing; the rest is idle.", chart + charts.legend(series))


def _stores(fold: KpiFold) -> str:
    slowest = figures.slowest_stores(fold)
    rows = [
        [
            escape(row["store"]),
            str(row["orders"]),
            f'<span class="{"worse" if row["late"] else ""}">{row["late"]}</span>',
            f"{row['on_time_share']:.0%}",
            f"{row['ready_to_pickup_s'] / 60:.1f}",
            f"{row['click_to_door_s'] / 60:.1f}",
        ]
        for row in slowest
    ]
    heads = ["store", "orders", "late", "on time", "ready to pickup, min", "click to door, min"]
    title = "Stores with most late orders" if any(row["late"] for row in slowest) else "Stores, none with a late order"
    return _card(title, "", _table(heads, rows))


def _truths(catalogue: Catalogue, fold: KpiFold, clock: figures.FilmClock) -> list[truths.TruthTable | None]:
    by_hour, *others = truths.anatomy(catalogue, fold, clock)
    return [by_hour, truths.calibrated(fold), truths.earnings(fold), truths.worst(fold, clock), *others]


def _truth(table: truths.TruthTable) -> str:
    wide = table.is_wide or len(table.heads) > WIDE_FROM
    return _card(table.title, table.note, _table(list(map(escape, table.heads)), table.rows), wide=wide)


def _kept_map(catalogue: Catalogue, fold: KpiFold, clock: figures.FilmClock) -> str:
    note = "By area of the door (H3 cells): the redder, the more promises were missed. Point at one for its figures."
    return _card("Promises by area and hour", note, kept.kept_map(catalogue, fold, clock), wide=True)


def _map_card(catalogue: Catalogue, features: Mapping[str, Any] | None) -> str:
    key = (
        '<p class="key"><span><i class="ink"></i>store</span><span><i class="ring"></i>order waiting</span>'
        '<span><i class="a dot"></i>on its way</span><span><i class="c dot"></i>delivered on time</span>'
        '<span><i class="late dot"></i>late</span><span><i class="d dot"></i>rider at work</span>'
        '<span><i class="b dot"></i>rider driving empty</span><span><i class="idle dot"></i>rider idle</span></p>'
    )
    speeds = "".join(
        f'<option value="{pace}"{" selected" if pace == 120 else ""}>{words}</option>'
        for pace, words in ((30, "30 s a second"), (120, "2 min a second"), (480, "8 min a second"))
    )
    body = (
        f'<div id="map"><canvas role="img" aria-label="Map of {len(catalogue.stores)} stores, the orders and the '
        f'riders at the instant chosen below"></canvas>{_credit(features)}<div id="tip"></div><div class="controls">'
        '<button id="play" type="button">Play</button><span id="clock"></span>'
        '<input id="instant" type="range" min="0" value="0" step="1" aria-label="instant of the day">'
        f'<select id="speed" aria-label="speed">{speeds}</select></div><p id="counts"></p>{key}</div>'
    )
    note = "Drag to move, Ctrl and wheel to zoom, double-click to reset."
    return _card("The day on the map", note, body, wide=True)


def _credit(features: Mapping[str, Any] | None) -> str:
    """Who must be named on a map drawn from these lines."""
    named = str(features.get("attribution", "")) if features else ""
    return f'<p class="credit">{escape(named)}</p>' if named else ""


def _footer(catalogue: Catalogue, summary: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    lines = [
        escape(catalogue.attribution),
        f"{summary['rounds']:,} rounds · {escape(versions)}",
        f"decision digest <code>{escape(summary['decision_digest'])}</code>",
    ]
    return "<footer>" + "".join(f"<p>{line}</p>" for line in lines if line) + "</footer>"
