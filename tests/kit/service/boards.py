"""A board to look at, and a service that shows it."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import uvicorn
from fastapi import FastAPI
from hypothesis import strategies as st

from api.access.keys import KeyBook
from api.access.lanes import STREAMS, Lanes
from api.access.rules import Gate, Scope
from api.console.board_feed import BoardFeed, Frame
from api.console.board_view import TABLES
from api.console.routes import router
from api.console.streets import StreetLines
from api.http import problems
from dispatch.engine.engine import Engine
from dispatch.inputs import OrderPlaced, RiderListed, ShiftPlanned, StoreClosed, StoreListed
from dispatch.model import Order, Rider, Shift, Store
from dispatch.settings.settings import Settings
from routing.places import PlaceBook

NOW = 1_750_000_000


def engine_with_work() -> Engine:
    """Store A with two orders (one late already), store B closed; rider r1 on duty, r2 tomorrow."""
    places = PlaceBook("wgs84")
    engine = Engine(places, Settings())
    spots = [places.add(45.0 + i / 1000, 9.0) for i in range(6)]
    engine.handle(StoreListed(at=NOW, store=Store("A", spots[0])))
    engine.handle(StoreListed(at=NOW, store=Store("B", spots[1])))
    engine.handle(RiderListed(at=NOW, rider=Rider("r1", spots[2])))
    engine.handle(RiderListed(at=NOW, rider=Rider("r2", spots[3])))
    engine.handle(ShiftPlanned(at=NOW, shift=Shift("r1", NOW, NOW + 9000, NOW + 9999)))
    engine.handle(ShiftPlanned(at=NOW, shift=Shift("r2", NOW + 86400, NOW + 90000, NOW + 90000)))
    engine.handle(OrderPlaced(at=NOW, order=Order("late", "A", spots[4], NOW - 3000, NOW - 2000, NOW - 1200)))
    engine.handle(OrderPlaced(at=NOW, order=Order("calm", "A", spots[5], NOW, NOW + 600, NOW + 1800)))
    engine.handle(StoreClosed(at=NOW, store_id="B"))
    return engine


members = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3), max_size=6)


views = st.builds(
    lambda *tables: {
        "at": "now",
        "ladder": "search",
        "counts": {},
        **{name: [{"id": key, "x": x} for key, x in table.items()] for name, table in zip(TABLES, tables, strict=True)},
    },
    *[members] * len(TABLES),
)


def applied(view: dict[str, Any], found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    result = {}
    for table in TABLES:
        members = {member["id"]: member for member in view[table]}
        for key in found["gone"][table]:
            del members[key]
        result[table] = members | {member["id"]: member for member in found[table]}
    return result


class Scene:
    """A view that a test changes."""

    def __init__(self) -> None:
        self.x = 0

    def look(self) -> dict[str, Any]:
        rider = {"id": "r", "lat": 45.0, "lng": 9.0, "x": self.x}
        others: dict[str, Any] = {"stores": [], "orders": [], "heat": []}
        return {"at": "now", "ladder": "search", "counts": {}, "riders": [rider], **others}


async def next_frame(frames: AsyncIterator[Frame | None]) -> Frame:
    async with asyncio.timeout(120):
        async for frame in frames:
            if frame is not None:
                return frame
    raise AssertionError("the stream has ended")


def city_service(riders: int = 40, seed: int = 7) -> dict[str, Any]:
    """A made-up board: every third rider idle, each other one with an order; five orders late."""
    draw = random.Random(seed)

    def point() -> dict[str, float]:
        return {"lat": round(45.46 + draw.gauss(0, 0.015), 6), "lng": round(9.19 + draw.gauss(0, 0.02), 6)}

    def instant(minutes: int) -> str:
        return f"2025-06-15T{15 + minutes // 60:02d}:{minutes % 60:02d}:00Z"

    stores = [{"id": f"store-{i}", **point(), "open": i > 0, "delay_s": 0} for i in range(6)]
    members, orders = [], []
    for i in range(riders):
        busy, drop = i % 3 != 0, point()
        stops = [{**drop, "store": None}] if busy else []
        members.append(
            {"id": f"rider-{i}", "doing": "working" if busy else "idle", **point(), "stops": stops, "on_board": 0}
        )
        if busy:
            due = 0 if len(orders) < 5 else 8 + i % 30
            orders.append(
                {
                    "id": f"order-{i}", "state": "picked_up", "store": "store-1", "rider": f"rider-{i}", **drop,
                    "placed_at": instant(0), "due_at": instant(due), "expected_dropoff_at": None, "late": due == 0,
                    "ready": True, "reason": None, "kept_until": None,
                }
            )  # fmt: skip
    counts = {"open": len(orders), "late": 5, "waiting": 0, "idle": riders - len(orders), "working": len(orders)}
    at = "2025-06-15T15:06:40Z"
    tables = {"stores": stores, "riders": members, "orders": orders, "heat": []}
    return {"at": at, "ladder": "search", "counts": counts, **tables}


@asynccontextmanager
async def served(view: dict[str, Any]) -> AsyncIterator[tuple[str, str, FastAPI]]:
    """The pages on a real port; address and key."""
    book = KeyBook(b"s" * 32)
    key, _ = book.make("city", {Scope.OPS}, 0)
    app = FastAPI(docs_url=None, redoc_url=None)
    feed = BoardFeed(lambda: json.loads(json.dumps(view)), beat_s=0.05)
    app.state.application = SimpleNamespace(
        gate=Gate(book),
        board_feed=feed,
        stream_slots=Lanes(STREAMS, clock=time.monotonic),
        street_lines=StreetLines(SimpleNamespace(times=None)),  # type: ignore[arg-type]
    )
    app.include_router(router)
    problems.install(app)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", key, app
    finally:
        await feed.close()
        server.should_exit = True
        await task
