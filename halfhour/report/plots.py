"""One chart of a run as a picture, drawn with matplotlib: for slides, papers and chats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dispatch.record import calibration
from dispatch.record.anatomy import PARTS
from dispatch.record.catalogue import Catalogue
from dispatch.record.kpi import KpiFold
from halfhour.report import figures, kept
from halfhour.report.charts import Series, clock_marks
from routing.errors import InvalidInput, Unsupported

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"a": "#2667c9", "b": "#8d6fc4", "c": "#12877a", "d": "#c98a1b", "late": "#d0402b"}
STREET, WATER = "#dedbd3", "#cfe3f3"
PART_COLOURS = ("#c98a1b", "#d0402b", "#2667c9", "#8d6fc4", "#12877a")


class PlotInput(NamedTuple):
    """What a chart is drawn from.  `features`: GeoJSON lines of the day's map, None where it has none."""

    catalogue: Catalogue
    fold: KpiFold
    features: dict[str, Any] | None
    clock: figures.FilmClock


def write_plot(path: Path, what: str, given: PlotInput, *, title: str, width: float = 8.0) -> None:
    """Write a chart of CHARTS to a file; its ending says in which format.

    `width`: inches.  Raises Unsupported without matplotlib, InvalidInput for a chart or an ending that there is not.
    """
    if what not in CHARTS:
        raise InvalidInput(f"there is no chart {what!r}", field="chart", hint=f"Choose from {', '.join(CHARTS)}.")
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise InvalidInput(
            f"{path.name}: pictures end in .png, .svg or .pdf", field="out", hint="Write --out picture.svg."
        )
    try:
        from matplotlib.figure import Figure
    except ImportError as problem:
        raise Unsupported("drawing needs matplotlib", hint='Install "halfhour[analysis]".') from problem
    import matplotlib

    figure = Figure(figsize=(width, width * 0.62), layout="constrained")
    axes = figure.add_subplot()
    CHARTS[what].draw(axes, given)
    axes.set_title(title, loc="left", fontsize=11)
    with matplotlib.rc_context({"svg.hashsalt": "halfhour", "svg.fonttype": "none"}):
        dated = {"Date": None} if path.suffix.lower() == ".svg" else {}
        figure.savefig(path, dpi=150, metadata=dated)


def _orders(axes: Axes, given: PlotInput) -> None:
    span = figures.span_of(given.fold)
    series = figures.orders_over_time(list(given.fold.orders.values()), span)
    _over_time(axes, span, series, given.clock)
    axes.set_ylabel(f"orders, each {span.step // 60} minutes")


def _riders(axes: Axes, given: PlotInput) -> None:
    span = figures.span_of(given.fold)
    series = figures.fleet_over_time(given.catalogue, given.fold, span)
    at = [span.begin + span.step * k for k in range(span.count)]
    axes.stackplot(
        at, *(one.values for one in series), labels=[one.name for one in series],
        colors=[COLOURS[one.css] for one in series],
    )  # fmt: skip
    _clocked(axes, span, given.clock)
    axes.set_ylabel("share of riders on duty")
    axes.legend(frameon=False, fontsize=8)


def _over_time(axes: Axes, span: figures.Span, series: Sequence[Series], clock: figures.FilmClock) -> None:
    at = [span.begin + span.step * k for k in range(span.count)]
    for one in series:
        axes.plot(at, one.values, color=COLOURS[one.css], label=one.name, linewidth=1.6)
    axes.set_ylim(bottom=0)
    _clocked(axes, span, clock)
    axes.legend(frameon=False, fontsize=8)


def _clocked(axes: Axes, span: figures.Span, clock: figures.FilmClock) -> None:
    marks = clock_marks(span.begin, span.begin + span.step * span.count, clock)
    axes.set_xticks([at for at, _ in marks], [words for _, words in marks])
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def _lateness(axes: Axes, given: PlotInput) -> None:
    edges, counts = figures.arrival_histogram(list(given.fold.orders.values()))
    colours = [COLOURS["late" if low >= 0 else "a"] for low in edges[:-1]]
    axes.bar(edges[:-1], counts.values, width=2.3, align="edge", color=colours)
    axes.axvline(0, color="#1d2530", linewidth=1, linestyle="--")
    axes.set_xlabel("minutes after the promise")
    axes.set_ylabel("orders")
    _plain(axes)


def _minutes(axes: Axes, given: PlotInput) -> None:
    hours: dict[str, list[Sequence[int]]] = {}
    for life in given.fold.orders.values():
        parts = given.fold.anatomy_of(life)
        if parts is not None:
            hours.setdefault(given.clock(life.order.placed_at)[:2], []).append(parts)
    names = sorted(hours)
    foot = [0.0] * len(names)
    for k, part in enumerate(PARTS):
        means = [sum(parts[k] for parts in hours[name]) / len(hours[name]) / 60 for name in names]
        axes.bar(names, means, bottom=foot, color=PART_COLOURS[k], label=part.removesuffix("_s"), width=0.8)
        foot = [low + mean for low, mean in zip(foot, means, strict=True)]
    axes.set_xlabel("hour of placement")
    axes.set_ylabel("minutes from click to door")
    axes.legend(frameon=False, fontsize=8, ncols=len(PARTS), loc="upper center", bbox_to_anchor=(0.5, -0.12))
    _plain(axes)


def _calibration(axes: Axes, given: PlotInput) -> None:
    found = calibration.outcomes(given.fold.orders.values())
    if not found:
        raise InvalidInput(
            "nothing was said of its orders in this run", code="nothing_said",
            hint="Replay the day with this version, with rules.promise_odds true.",
        )  # fmt: skip
    rows = calibration.tenths(found)
    axes.plot([0, 1], [0, 1], color="#98a2ad", linewidth=1, linestyle="--")
    sizes = [12 + 400 * row.orders / len(found) for row in rows]
    axes.scatter([row.said for row in rows], [row.came for row in rows], s=sizes, color=COLOURS["a"], alpha=0.8)
    axes.set_xlabel("probability said that the promise is kept")
    axes.set_ylabel("share that was")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    _plain(axes)


def _promises(axes: Axes, given: PlotInput) -> None:
    found = [area for area in kept.areas(given.catalogue, given.fold, given.clock) if area.hour == kept.ALL_DAY]
    figures.span_of(given.fold)  # a day without orders has no areas
    if given.catalogue.places.frame == "wgs84":
        for kind, lines in figures.sheet(given.catalogue, given.features).items():
            for line in lines:
                colour, width = (WATER, 4) if kind == "river" else (STREET, 0.6)
                axes.plot(line[::2], line[1::2], color=colour, linewidth=width, zorder=0)
    for area in found:
        xs, ys = zip(*area.corners, strict=True)
        axes.fill(xs, ys, facecolor=COLOURS["late"], alpha=0.08 + 0.84 * area.missed, edgecolor="none")
    west, north, east, south = kept.box(found)
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect("equal")
    axes.axis("off")
    credit = str((given.features or {}).get("attribution", ""))
    axes.text(0.0, -0.03, credit, transform=axes.transAxes, fontsize=6, color="#66707d", va="top")


class Chart(NamedTuple):
    """A chart: what it shows, and how it is drawn."""

    shows: str
    draw: Callable[[Any, PlotInput], None]


CHARTS = {
    "orders": Chart("orders under way, placed and delivered", _orders),
    "lateness": Chart("delivered orders by minutes before or after their promise", _lateness),
    "riders": Chart("what riders on duty were doing", _riders),
    "minutes": Chart("where the minutes from click to door went, by hour", _minutes),
    "promises": Chart("where promises were missed, on the streets", _promises),
    "calibration": Chart("probabilities said and come", _calibration),
}
