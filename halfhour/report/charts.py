"""Charts as inline SVG: text that scales, colours from the page's light or dark theme, values on hover.

Each function takes plain numbers and returns one `<svg>`; classes (`bar`, `line a`, `late` ...) are coloured by the
page's style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 14, 34


class Series(NamedTuple):
    """One named row of numbers; `css` is its class, `a` to `d` or a meaning such as `late`."""

    name: str
    css: str
    values: Sequence[float]


def _ticks(high: float, count: int = 4) -> list[float]:
    """Round numbers from zero to at least `high`."""
    if high <= 0:
        return [0.0, 1.0]
    raw = high / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw)
    return [step * k for k in range(math.ceil(high / step - 1e-9) + 1)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.2g}"


class _Frame:
    """Axes of one chart: turns values into pixels."""

    def __init__(self, low: float, high: float, top: float, *, percent: bool = False) -> None:
        self.low, self.high = low, high if high > low else low + 1
        self.ticks = [0.0, 0.25, 0.5, 0.75, 1.0] if percent else _ticks(top)
        self.percent = percent

    def x(self, value: float) -> float:
        return LEFT + (value - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.ticks[-1] * (HEIGHT - TOP - BOTTOM)

    def grid(self) -> str:
        parts = []
        for tick in self.ticks:
            y = self.y(tick)
            label = f"{tick:.0%}" if self.percent else _number(tick)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
        return "".join(parts)

    def bottom(self, marks: Sequence[tuple[float, str]], title: str) -> str:
        parts = [
            f'<text class="tick" x="{self.x(at):.1f}" y="{HEIGHT - 16}" text-anchor="middle">{escape(label)}</text>'
            for at, label in marks
        ]
        parts.append(
            f'<text class="title" x="{WIDTH - RIGHT}" y="{HEIGHT - 2}" text-anchor="end">{escape(title)}</text>'
        )
        return "".join(parts)


def _svg(body: str, label: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label, quote=True)}">{body}</svg>'


def clock_marks(begin: int, end: int, clock: Callable[[int], str], most: int = 8) -> list[tuple[float, str]]:
    """Marks for a time axis on round times, at most about `most` of them."""
    step = next(
        (s for s in (300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400) if (end - begin) / s <= most), 86_400
    )
    first = -(-begin // step) * step
    return [(float(at), clock(at)) for at in range(first, end + 1, step)]


def lines_over_time(
    begin: int, step: int, series: Sequence[Series], clock: Callable[[int], str], label: str, *, filled: int = -1
) -> str:
    """Lines over equal steps of time from `begin`; the one numbered `filled` is an area."""
    count = max(len(one.values) for one in series)
    frame = _Frame(begin, begin + step * max(count - 1, 1), max(max(one.values, default=0) for one in series))
    body = [frame.grid(), frame.bottom(clock_marks(begin, begin + step * (count - 1), clock), "")]
    for number, one in enumerate(series):
        points = [(frame.x(begin + k * step), frame.y(value)) for k, value in enumerate(one.values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        if number == filled and points:
            ground = frame.y(0)
            body.append(
                f'<polygon class="area {one.css}" points="{points[0][0]:.1f},{ground:.1f} {path} '
                f'{points[-1][0]:.1f},{ground:.1f}"/>'
            )
        body.append(f'<polyline class="line {one.css}" points="{path}"/>')
    for k in range(count):
        words = ", ".join(f"{one.name} {_number(one.values[k])}" for one in series if k < len(one.values))
        x, width = frame.x(begin + (k - 0.5) * step), (WIDTH - LEFT - RIGHT) / max(count - 1, 1)
        body.append(
            f'<rect class="hover" x="{x:.1f}" y="{TOP}" width="{width:.1f}" height="{HEIGHT - TOP - BOTTOM}">'
            f"<title>{clock(begin + k * step)}: {escape(words)}</title></rect>"
        )
    return _svg("".join(body), label)


def shares_over_time(begin: int, step: int, series: Sequence[Series], clock: Callable[[int], str], label: str) -> str:
    """Stacked bars over equal steps of time; each step's values are shares that add up to one at most."""
    count = max(len(one.values) for one in series)
    frame = _Frame(begin, begin + step * max(count, 1), 1.0, percent=True)
    body = [frame.grid(), frame.bottom(clock_marks(begin, begin + step * count, clock), "")]
    width = (WIDTH - LEFT - RIGHT) / max(count, 1)
    for k in range(count):
        base = 0.0
        words = ", ".join(f"{one.name} {one.values[k]:.0%}" for one in series)
        column = []
        for one in series:
            top, foot = frame.y(base + one.values[k]), frame.y(base)
            column.append(
                f'<rect class="fill {one.css}" x="{frame.x(begin + k * step) + 0.5:.1f}" y="{top:.1f}" '
                f'width="{max(width - 1, 0.5):.1f}" height="{max(foot - top, 0):.1f}"/>'
            )
            base += one.values[k]
        body.append(f"<g>{''.join(column)}<title>{clock(begin + k * step)}: {escape(words)}</title></g>")
    return _svg("".join(body), label)


def histogram(
    edges: Sequence[float], series: Sequence[Series], unit: str, label: str, *, split_at: float | None = None
) -> str:
    """Bars between `edges`; a second series is drawn as a hollow outline; bars from `split_at` on are `late`."""
    top = max(max(one.values, default=0) for one in series)
    frame = _Frame(edges[0], edges[-1], top)
    body = [frame.grid()]
    marks = [(edge, _number(edge)) for k, edge in enumerate(edges) if k % max(1, len(edges) // 10) == 0]
    body.append(frame.bottom(marks, unit))
    first = series[0]
    for low, high, value in zip(edges, edges[1:], first.values, strict=False):
        css = "late" if split_at is not None and low >= split_at else first.css
        body.append(
            f'<rect class="fill {css}" x="{frame.x(low) + 1:.1f}" y="{frame.y(value):.1f}" '
            f'width="{max(frame.x(high) - frame.x(low) - 2, 0.5):.1f}" height="{frame.y(0) - frame.y(value):.1f}">'
            f"<title>{_number(low)} to {_number(high)} {escape(unit)}: {_number(value)}</title></rect>"
        )
    for one in series[1:]:
        path = "".join(
            f"L{frame.x(low):.1f},{frame.y(value):.1f}L{frame.x(high):.1f},{frame.y(value):.1f}"
            for low, high, value in zip(edges, edges[1:], one.values, strict=False)
        )
        body.append(f'<path class="line {one.css}" d="M{path[1:]}"/>')
    if split_at is not None and edges[0] < split_at < edges[-1]:
        x = frame.x(split_at)
        body.append(f'<line class="promise" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    return _svg("".join(body), label)


def legend(series: Sequence[Series]) -> str:
    """The key of a chart."""
    return (
        '<p class="key">'
        + "".join(f'<span><i class="{one.css}"></i>{escape(one.name)}</span>' for one in series)
        + "</p>"
    )
