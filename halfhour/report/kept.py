"""Where promises were kept, hour by hour: H3 cells of the doors, on the streets where a day has them."""

from __future__ import annotations

from html import escape
from math import cos, radians
from typing import NamedTuple

from dispatch.model import OrderState
from dispatch.record.catalogue import Catalogue
from dispatch.record.kpi import KpiFold
from dispatch.record.lives import OrderLife
from halfhour.report.figures import FilmClock, Metres
from routing.cells import boundary_of, parent_of

AREA_RESOLUTION = 8
ALL_DAY = ""


class KeptArea(NamedTuple):
    """A cell in one hour: its corners in metres on the sheet of the day's map, its orders, and those on time."""

    hour: str
    corners: tuple[tuple[float, float], ...]
    orders: int
    on_time: int

    @property
    def missed(self) -> float:
        """The share of promises that were not kept."""
        return 1 - self.on_time / self.orders


def areas(catalogue: Catalogue, fold: KpiFold, clock: FilmClock) -> list[KeptArea]:
    """Cells of the doors, of the whole day (ALL_DAY) and of each hour of placement, hour by hour."""
    cells: dict[tuple[str, int], list[OrderLife]] = {}
    for life in fold.orders.values():
        if life.state is not OrderState.CANCELLED:
            cell = parent_of(int(catalogue.places.cell[life.order.drop_place]), AREA_RESOLUTION)
            for hour in (ALL_DAY, clock(life.order.placed_at)[:2]):
                cells.setdefault((hour, cell), []).append(life)
    corners_of = _Sheet(catalogue) if cells else None
    found = []
    for hour, cell in sorted(cells):
        lives = cells[hour, cell]
        assert corners_of is not None
        found.append(KeptArea(hour, corners_of(cell), len(lives), sum(life.is_on_time for life in lives)))
    return found


class _Sheet:
    """Lays cells on the sheet of a day's map; those of a plane city, which is nowhere on Earth, on one of their own."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._metres = Metres(catalogue) if catalogue.places.frame == "wgs84" else None

    def __call__(self, cell: int) -> tuple[tuple[float, float], ...]:
        shape = boundary_of(cell)
        if self._metres is not None:
            flat = self._metres.line([(lng, lat) for lat, lng in shape])
            return tuple(zip(map(float, flat[::2]), map(float, flat[1::2]), strict=True))
        narrow = cos(radians(shape[0][0]))
        return tuple((lng * narrow * 111_195, -lat * 111_195) for lat, lng in shape)


def box(found: list[KeptArea]) -> tuple[float, float, float, float]:
    """West, north, east and south of all areas."""
    xs = [x for area in found for x, _ in area.corners]
    ys = [y for area in found for _, y in area.corners]
    return min(xs), min(ys), max(xs), max(ys)


def kept_map(catalogue: Catalogue, fold: KpiFold, clock: FilmClock) -> str:
    """The map as SVG, the redder the more promises were missed, with a choice of the hour; empty without orders.

    The page's script draws the streets of the day's map below it.
    """
    found = areas(catalogue, fold, clock)
    if not found:
        return ""
    west, north, east, south = box(found)
    wide, high = max(east - west, 1.0), max(south - north, 1.0)
    hours = sorted({area.hour for area in found})
    groups = []
    for hour in hours:
        drawn = "".join(_polygon(area) for area in found if area.hour == hour)
        hidden = "" if hour == ALL_DAY else ' style="display:none"'
        groups.append(f'<g data-hour="{hour}"{hidden}>{drawn}</g>')
    options = "".join(f'<option value="{hour}">{_words(hour)}</option>' for hour in hours)
    onto = ' data-on-streets="1"' if catalogue.places.frame == "wgs84" else ""
    return (
        f'<p class="controls"><label>Placed <select id="kept-hour">{options}</select></label></p>'
        f'<svg id="kept"{onto} viewBox="{west:.0f} {north:.0f} {wide:.0f} {high:.0f}" role="img" '
        f'style="aspect-ratio:{wide:.0f}/{high:.0f};max-height:640px" '
        f'aria-label="share of promises missed by area and hour">{"".join(groups)}</svg>'
    )


def _words(hour: str) -> str:
    return "all day" if hour == ALL_DAY else f"{escape(hour)}:00 to {escape(hour)}:59"


def _polygon(area: KeptArea) -> str:
    points = " ".join(f"{x:.0f},{y:.0f}" for x, y in area.corners)
    return (
        f'<polygon class="cell" points="{points}" style="fill-opacity:{0.08 + 0.84 * area.missed:.2f}">'
        f"<title>{area.orders:,} orders, {1 - area.missed:.0%} on time</title></polygon>"
    )
