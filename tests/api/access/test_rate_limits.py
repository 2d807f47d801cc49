"""Token buckets, slots, body limits and the headers that tell of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from hypothesis import given
from hypothesis import strategies as st

from api.access.keys import KeyBook
from api.access.rate_limits import Limits, Meter, Rate
from api.access.rules import Caller, Gate, Scope, access, access_public
from api.access.slots import Slots
from api.common.errors import Overloaded, RateLimited, TooLarge
from api.http.transport.middleware import BodyLimit, QuotaHeaders
from routing.errors import HalfhourError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    limits = Limits({Meter.WRITE: Rate(2, 3)})
    assert [limits.take("a", Meter.WRITE, 0.0).remaining for _ in range(3)] == [2, 1, 0]
    with pytest.raises(RateLimited) as refused:
        limits.take("a", Meter.WRITE, 0.0)
    assert refused.value.details == {"limit": 3, "remaining": 0, "retry_after_s": 1}
    assert limits.take("a", Meter.WRITE, 0.5).remaining == 0  # half a second makes one token at 2/s
    assert limits.take("b", Meter.WRITE, 0.5).remaining == 2  # another's bucket is full


def test_the_wait_that_is_told_is_enough_and_a_clock_set_back_gives_nothing() -> None:
    limits = Limits({Meter.READ: Rate(0.25, 1)})
    limits.take("a", Meter.READ, 100.0)
    with pytest.raises(RateLimited) as refused:
        limits.take("a", Meter.READ, 40.0)
    assert refused.value.details["retry_after_s"] == 4
    assert limits.take("a", Meter.READ, 104.0).remaining == 0


@given(st.lists(st.floats(0, 5), max_size=60), st.floats(0.1, 20), st.integers(1, 10))
def test_never_more_than_burst_plus_rate_times_time(gaps: list[float], per_s: float, burst: int) -> None:
    limits, now, granted = Limits({Meter.READ: Rate(per_s, burst)}), 0.0, 0
    for gap in gaps:
        now += gap
        try:
            limits.take("a", Meter.READ, now)
            granted += 1
        except RateLimited:
            pass
        assert granted <= burst + per_s * now + 1e-6


def test_only_so_many_callers_are_remembered() -> None:
    limits = Limits({Meter.READ: Rate(1, 1)}, remembered=2)
    for caller in ("a", "b", "c"):
        limits.take(caller, Meter.READ, 0.0)
    limits.take("a", Meter.READ, 0.0)  # forgotten, hence a full bucket
    with pytest.raises(RateLimited):
        limits.take("c", Meter.READ, 0.0)


def test_slots_bound_all_and_each_and_come_back() -> None:
    now = [0.0]
    slots = Slots(3, 2, clock=lambda: now[0])
    with slots.held("a"), slots.held("a"):
        with pytest.raises(Overloaded), slots.held("a"):
            raise AssertionError("a third slot of one holder")
        with slots.held("b"):
            assert slots.taken == 3
            with pytest.raises(Overloaded), slots.held("c"):
                raise AssertionError("a fourth slot in all")
        now[0] = 10.0
    assert (slots.taken, slots.refused) == (0, 2)
    assert slots.retry_after_s() == 14  # they lasted 0, 10 and 10 seconds: twice the mean of 6.67


async def test_a_stream_holds_its_slot_until_it_ends() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    slots = Slots(5, 1, clock=lambda: 0.0)
    stream = slots.held_while("key", pieces())
    assert await anext(stream) == b"one"
    with pytest.raises(Overloaded) as refused:
        slots.check("key")
    assert refused.value.details["limit"] == 1
    slots.check("another key")
    await stream.aclose()  # type: ignore[attr-defined]
    slots.check("key")


def _app(limits: Limits) -> tuple[FastAPI, dict[str, str]]:
    book = KeyBook(b"s" * 32)
    text, _ = book.make("pizza", {Scope.ORDERS}, 0)
    app = FastAPI()
    app.state.application = SimpleNamespace(gate=Gate(book, limits, clock=lambda: 0.0))

    @app.post("/v1/deliveries")
    async def create(request: Request, caller: Annotated[Caller, access(Scope.ORDERS, meter=Meter.WRITE)]) -> int:
        return len(await request.body())

    @app.post("/v1/positions", dependencies=[access_public()])
    async def positions(request: Request) -> int:
        return len(await request.body())

    @app.get("/track", dependencies=[access_public(Meter.READ)])
    async def track() -> int:
        return 1

    def refuse(error: HalfhourError) -> Any:
        return JSONResponse({"code": error.code, **error.details}, 413)

    @app.exception_handler(HalfhourError)
    async def problem(request: Request, error: HalfhourError) -> JSONResponse:
        return JSONResponse({"code": error.code}, {"too_large": 413, "rate_limited": 429}[error.code])

    app.add_middleware(QuotaHeaders)
    app.add_middleware(BodyLimit, refuse=refuse, usual_bytes=100, by_path={"/v1/positions": 1000})
    return app, {"Authorization": f"Bearer {text}"}


async def _chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 10


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/v1/deliveries", 100, 200),
        ("/v1/deliveries", 101, 413),
        ("/v1/positions", 1000, 200),
        ("/v1/positions", 1001, 413),
    ],
)
async def test_bodies_are_bounded_by_path(path: str, size: int, status: int) -> None:
    app, headers = _app(Limits())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as http:
        answer = await http.post(path, content=b"x" * size)
    assert answer.status_code == status
    assert answer.json() == (size if status == 200 else {"code": TooLarge.code, "limit_bytes": size - 1})


async def test_bodies_without_a_length_are_counted_as_they_come() -> None:
    app, headers = _app(Limits())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as http:
        good = await http.post("/v1/deliveries", content=_chunks(10))
        bad = await http.post("/v1/deliveries", content=_chunks(11))
        nonsense = await http.post("/v1/deliveries", content=b"", headers={"Content-Length": "-5"})
    assert (good.status_code, good.json()) == (200, 100)
    assert (bad.status_code, nonsense.status_code) == (413, 413)


async def test_headers_tell_what_is_left() -> None:
    app, headers = _app(Limits({Meter.WRITE: Rate(0.5, 2), Meter.READ: Rate(1, 1)}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as http:
        answers = [await http.post("/v1/deliveries", content=b"") for _ in range(3)]
        tracked = [(await http.get("/track")).status_code for _ in range(2)]
    told = [
        tuple(answer.headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "reset")) for answer in answers
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert told == [("2", "1", "2"), ("2", "0", "4"), ("2", "0", "2")]
    assert tracked == [200, 429]
