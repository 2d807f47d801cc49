"""The index by cells: whoever could be at a store soonest is found, and a zone holds what its polygon holds."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest

from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.cell_index import MOST_CELLS, ZoneShape
from dispatch.engine.engine import Engine
from dispatch.model import Order, Rider, Shift, Store, Zone
from dispatch.rounds import soonest as by_cells
from dispatch.rounds.solve import solve_round
from dispatch.rounds.soonest import soonest
from dispatch.settings.settings import Settings
from routing.cells import EDGE_M, REACH, Polygon, boundary_of, cell_of, centre_of, disk, ring, ring_gap_m
from routing.places import RESOLUTION, PlaceBook
from routing.travel import MatrixTravel, StraightTravel

T0 = 1_700_000_000
CENTRES = [(48.1, 11.5), (60.2, 24.9), (1.3, 103.8), (-33.9, 151.2), (71.0, 25.8)]


def city(seed: int, riders: int, frame: str = "wgs84", **settings: object) -> tuple[Engine, StraightTravel, int]:
    """Riders of two speeds, idle, busy, off duty, on a break, lost or far away, and one store."""
    luck = random.Random(seed)
    book = PlaceBook("plane" if frame == "plane" else "wgs84")
    north, east = luck.choice(CENTRES)
    half_m = luck.choice([800, 4_000, 30_000])

    def place(x: float, y: float, **seconds: int) -> int:
        if frame == "plane":
            return book.add(y, x, **seconds)
        return book.add(north + y / 111_195, east + x / 111_195 / np.cos(np.radians(north)), **seconds)

    def somewhere(**seconds: int) -> int:
        return place(luck.uniform(-half_m, half_m), luck.uniform(-half_m, half_m), **seconds)

    values = {"rules.max_open_orders": 10_000, "rules.stale_s": 0, "rules.lost_after_s": 0, **settings}
    engine = Engine(book, Settings().with_values(values))
    times = StraightTravel(book, {"bike": luck.choice([120.0, 250.0]), "van": 600.0}, detour=luck.choice([1.0, 1.4]))
    engine.handle(i.TravelChanged(at=T0, version=1, digest="x", profiles=times.profiles))
    store = somewhere(enter_s=30, exit_s=30)
    engine.handle(i.StoreListed(at=T0, store=Store("s", store)))
    for k in range(riders):
        rider = Rider(f"r{k}", somewhere(), profile=luck.choice(times.profiles))
        engine.handle(i.RiderListed(at=T0, rider=rider))
        if luck.random() < 0.85:
            begins = T0 + luck.choice([0, 0, 0, 600, 90_000])
            engine.handle(i.ShiftPlanned(at=T0, shift=Shift(f"r{k}", begins, begins + 20_000)))
        if luck.random() < 0.05:
            engine.handle(i.BreakBegan(at=T0, rider_id=f"r{k}"))
    for k in range(riders // 4):
        order = Order(f"o{k}", "s", somewhere(enter_s=30, exit_s=30), T0, T0 + luck.randrange(900), T0 + 3600)
        engine.handle(i.OrderPlaced(at=T0, order=order))
    now = T0
    for _ in range(luck.randrange(3)):
        wake_at = engine.wake_at()
        if wake_at is None:
            break
        now = max(now, wake_at)
        events = engine.handle(i.Wake(at=now))
        if engine.board.open_round is not None:
            frozen = engine.freeze()
            events += engine.handle(dataclasses.replace(solve_round(frozen, times, recipe="insertion"), at=now))
        for rider_id, record in engine.board.riders.items():
            if record.route.told:
                engine.handle(i.RouteSeen(at=now, rider_id=rider_id, revision=record.route.revision, happened_at=now))
                if luck.random() < 0.5:
                    stop = record.route.stops[0].stop_id
                    engine.handle(i.StopArrived(at=now, rider_id=rider_id, stop_id=stop, happened_at=now))
    return engine, times, store


def both(board: Board, times: StraightTravel, place: int, count: int, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Whom each way finds, in their order; and that the cells have said it, where they have."""
    found: list[object] = []
    for least in (0, 10**9):
        monkeypatch.setattr(by_cells, "CELLS_FROM", least)
        riders = soonest(board, place, times, board.now, count)
        found.append(None if riders is None else list(riders))
    return found


@pytest.mark.parametrize("frame", ["wgs84", "plane"])
@pytest.mark.parametrize("divert", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_no_rider_who_could_be_there_sooner_is_missed(
    seed: int, divert: bool, frame: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, times, store = city(seed, 150, frame, **{"rules.divert": divert})
    for count in (1, 5, 32, 100, 149):
        by_ring, by_each = both(engine.board, times, store, count, monkeypatch)
        assert by_ring == by_each
    elsewhere = engine.board.riders["r7"].rider.place
    by_ring, by_each = both(engine.board, times, elsewhere, 10, monkeypatch)
    assert by_ring == by_each


def test_cells_say_it_themselves_where_riders_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a dense city a few rings do: nobody else is looked at."""
    engine, times, store = city(5, 600)
    looked: list[int] = []
    timed = by_cells._timed

    def counted(records, *rest):  # type: ignore[no-untyped-def]
        records = list(records)
        looked.append(len(records))
        return timed(records, *rest)

    monkeypatch.setattr(by_cells, "_timed", counted)
    found = soonest(engine.board, store, times, engine.board.now, 5)
    assert found is not None and len(found) == 5
    assert len(looked) > 1 and sum(looked) < 600 // 2


def test_an_index_that_loses_a_rider_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, times, store = city(5, 600)
    by_ring, by_each = both(engine.board, times, store, 5, monkeypatch)
    assert by_ring == by_each and by_each
    engine.board.rider_cells.remove(by_each[0])  # type: ignore[index]
    by_ring, by_each = both(engine.board, times, store, 5, monkeypatch)
    assert by_ring != by_each


def test_where_nobody_knows_the_fastest_way_each_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, _, store = city(5, 450)
    book = engine.board.places
    book._matrix_row[: len(book)] = 0
    times = MatrixTravel(book, ("bike", "van"), np.zeros((2, 1, 1)))
    found = soonest(engine.board, store, times, engine.board.now, 5)
    assert found is not None and len(found) == 5


def test_the_gap_to_a_ring_is_no_more_than_any_way_to_it() -> None:
    luck = random.Random(1)
    for _ in range(60):
        lat, lng = luck.uniform(-75, 75), luck.uniform(-180, 180)
        cell, k = cell_of(lat, lng, RESOLUTION), luck.randrange(1, 12)
        gap_m = ring_gap_m(cell, k)
        corners = boundary_of(cell)
        for far in luck.sample(ring(cell, k), min(6, len(ring(cell, k)))):
            for a, b in zip(corners, boundary_of(far), strict=False):
                assert metres(a, b) >= gap_m
        assert k < 5 or gap_m > 0
        assert max(metres(centre_of(cell), corner) for corner in corners) <= REACH * EDGE_M[RESOLUTION]
        assert ring(cell, 0) == (cell,) and set(disk(cell, 2)) == {cell, *ring(cell, 1), *ring(cell, 2)}


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The great circle between two points (haversine)."""
    (lat, lng), (lat2, lng2) = np.radians(a), np.radians(b)
    half = np.sin((lat2 - lat) / 2) ** 2 + np.cos(lat) * np.cos(lat2) * np.sin((lng2 - lng) / 2) ** 2
    return float(2 * 6_371_008.8 * np.arcsin(np.sqrt(half)))


# --- zones ----------------------------------------------------------------------------------------------------------


def star(luck: random.Random, north: float, east: float, size: float) -> tuple[tuple[float, float], ...]:
    """Corners of an odd shape, some of which cross themselves."""
    turns = sorted(luck.uniform(0, 2 * np.pi) for _ in range(luck.randrange(3, 9)))
    if luck.random() < 0.2:
        luck.shuffle(turns)
    return tuple(
        (north + size * luck.uniform(0.2, 1) * float(np.sin(t)), east + size * luck.uniform(0.2, 1) * float(np.cos(t)))
        for t in turns
    )


@pytest.mark.parametrize("frame", ["wgs84", "plane"])
@pytest.mark.parametrize("seed", range(10))
def test_a_zone_holds_what_its_polygon_holds(seed: int, frame: str) -> None:
    luck = random.Random(seed)
    plane = frame == "plane"
    north, east = (0.0, 0.0) if plane else luck.choice([*CENTRES, (85.0, 10.0), (10.0, 179.99)])
    size = luck.choice([0.0005, 0.004, 0.03, 0.4]) * (111_195 if plane else 1)
    corners = star(luck, north, east, size)
    if not plane:
        corners = tuple((lat, min(lng, 180.0)) for lat, lng in corners)
    book = PlaceBook("plane" if plane else "wgs84")
    shape, polygon = ZoneShape(corners, book), Polygon(corners)
    for k in range(1500):
        a, b = luck.sample(corners, 2)
        share = luck.random()
        spread = size * luck.choice([0.0, 1e-6, 0.01, 1.5])
        first = a[0] + share * (b[0] - a[0]) + luck.uniform(-spread, spread)
        second = a[1] + share * (b[1] - a[1]) + luck.uniform(-spread, spread)
        place = book.add(first, second if plane else max(-180.0, min(180.0, second)))
        held = polygon.holds(float(book.first[place]), float(book.second[place]))
        assert shape.holds(place) == held, (k, first, second)


def test_small_zones_are_cells_and_large_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    book = PlaceBook("wgs84")
    square = [(48.0, 11.0), (48.0, 11.1), (48.1, 11.1), (48.1, 11.0)]
    cells = Polygon(square).covering(RESOLUTION, MOST_CELLS)
    assert cells is not None and 500 < sum(cells.values()) < len(cells) < MOST_CELLS
    shape = ZoneShape(square, book)
    middle, far = book.add(48.05, 11.05), book.add(48.5, 11.5)
    monkeypatch.setattr(Polygon, "holds", lambda *_: pytest.fail("tested exactly"))
    assert (shape.holds(middle), shape.holds(far)) == (True, False), "by their cells alone"
    assert Polygon([(40, 5), (40, 15), (50, 15), (50, 5)]).covering(RESOLUTION, MOST_CELLS) is None
    assert Polygon([(48, 11), (48, 11.1), (48, 11)]).covering(RESOLUTION, MOST_CELLS) is None, "no extent"


def test_a_paused_zone_is_the_first_that_holds_the_door() -> None:
    engine, _, _ = city(3, 5)
    book, board = engine.board.places, engine.board
    inside, outside = book.add(10.05, 20.05), book.add(10.2, 20.05)
    square = ((10.0, 20.0), (10.0, 20.1), (10.1, 20.1), (10.1, 20.0))
    for zone_id in ("z1", "z2"):
        engine.handle(i.ZoneListed(at=board.now, zone=Zone(zone_id, square)))
    assert board.paused_zone_of(inside) is None
    engine.handle(i.ZonePaused(at=board.now, zone_id="z2", paused=True, reason="x"))
    assert (board.paused_zone_of(inside), board.paused_zone_of(outside)) == ("z2", None)
    engine.handle(i.ZonePaused(at=board.now, zone_id="z1", paused=True, reason="x"))
    assert board.paused_zone_of(inside) == "z1"
    assert Board.load(book, board.dump()).paused_zone_of(inside) == "z1"
