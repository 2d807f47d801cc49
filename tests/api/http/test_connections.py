"""Connections over a real socket: what never ends is ended, what is too much is refused, and a proxy is named."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request

from api.config import ServiceConfig
from api.http.transport.connections import Connections, Edge, EdgeConfig, most_here
from api.http.transport.server import configured

pytestmark = pytest.mark.anyio
QUICK = Edge(head_bytes=2000, head_s=0.05, body_s=0.05)
PATIENT = Edge(head_bytes=2000, head_s=60.0, body_s=60.0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.http.transport.connections.GRACE_S", 0.05)


def _app() -> FastAPI:
    app = FastAPI()
    app.state.waits = asyncio.Event()

    @app.post("/body")
    async def body(request: Request) -> int:
        return len(await request.body())

    @app.get("/quick")
    async def quick(request: Request) -> str:
        return request.client.host if request.client else ""

    @app.get("/slow")
    async def slow() -> str:
        await app.state.waits.wait()
        return "done"

    return app


@asynccontextmanager
async def listening(
    app: FastAPI, edge: Edge = PATIENT, most: int = 100, most_each: int = 100, **options: Any
) -> AsyncIterator[tuple[int, Connections]]:
    """The port of `app` behind the limits, and the book of its connections."""
    connections = Connections(most, most_each)
    config = EdgeConfig(
        app, connections=connections, edge=edge, port=0, log_level="critical", lifespan="off",
        timeout_graceful_shutdown=1, **options,
    )  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1], connections
    finally:
        app.state.waits.set()
        server.should_exit = True
        await task


class Line:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, *words: bytes) -> None:
        for word in words:
            self.writer.write(word)
            try:
                await self.writer.drain()
            except ConnectionError:
                return

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of what comes back; 0 where the other side just closes."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return int(head.split()[1]), await self.reader.readexactly(size)

    async def is_closed(self) -> bool:
        """True once the other side has closed; waits for that."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True


@asynccontextmanager
async def line(port: int) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


GET = b"GET /quick HTTP/1.1\r\nHost: h\r\n"


@pytest.mark.parametrize(
    "head",
    [
        [GET + b"X-Endless: ", *[b"a" * 500] * 8],
        [GET, *[b"X-%d: %s\r\n" % (k, b"b" * 100) for k in range(40)]],
        [GET + b"X-Long: " + b"c" * 4000 + b"\r\n\r\n"],
        [b"GET /quick?" + b"d" * 4000 + b" HTTP/1.1\r\nHost: h\r\n\r\n"],
        [b"GET /quick?", *[b"e" * 500] * 8],
    ],
    ids=["one header without end", "many headers", "one long header", "a long address", "an address without end"],
)
async def test_a_head_beyond_its_limit_is_refused_as_soon_as_it_is(head: list[bytes]) -> None:
    async with listening(_app()) as (port, _), line(port) as client:
        await client.say(*head)
        status, body = await client.answer()
        assert (status, json.loads(body)["code"], json.loads(body)["limit_bytes"]) == (431, "too_large", 2000)
        assert await client.is_closed()


async def test_many_small_requests_on_one_connection_are_no_large_head() -> None:
    async with listening(_app()) as (port, _), line(port) as client:
        for _ in range(60):  # 60 heads of 40 bytes
            await client.say(GET + b"\r\n")
            assert (await client.answer())[0] == 200
        await client.say(*[b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 8000\r\n\r\n", b"x" * 8000])
        assert await client.answer() == (200, b"8000")


async def test_who_says_nothing_or_half_a_head_or_half_a_body_is_let_go() -> None:
    async with listening(_app(), QUICK) as (port, connections):
        async with line(port) as silent, line(port) as half, line(port) as bodiless:
            await half.say(GET)
            await bodiless.say(b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
            assert await silent.is_closed()
            assert (await half.answer())[0] == 408
            assert await bodiless.is_closed()
        assert len(connections) == 0


async def test_an_idle_connection_ends_and_one_that_is_being_answered_does_not() -> None:
    app = _app()
    async with listening(app, QUICK, timeout_keep_alive=0) as (port, _), line(port) as idle, line(port) as waiting:
        await waiting.say(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
        await idle.say(GET + b"\r\n")
        assert (await idle.answer())[0] == 200
        assert await idle.is_closed()
        app.state.waits.set()
        assert (await waiting.answer())[0] == 200


async def test_a_newcomer_takes_the_place_of_who_has_been_idle_longest() -> None:
    app = _app()
    async with listening(app, most=3) as (port, connections):
        async with line(port) as busy, line(port) as first, line(port) as second:
            await busy.say(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
            await first.say(GET + b"\r\n")
            await first.answer()
            await second.say(GET + b"\r\n")
            await second.answer()
            async with line(port) as newcomer:
                await newcomer.say(GET + b"\r\n")
                assert (await newcomer.answer())[0] == 200
                assert await first.is_closed()
                await second.say(GET + b"\r\n")
                assert (await second.answer())[0] == 200
            app.state.waits.set()
            assert (await busy.answer())[0] == 200
        assert connections.refused == 0


async def test_where_all_are_at_work_a_newcomer_is_told_to_come_back() -> None:
    app = _app()
    async with listening(app, most=2) as (port, connections), line(port) as one, line(port) as two:
        for busy in (one, two):
            await busy.say(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
        while len(connections._idle):
            await asyncio.sleep(0.01)
        async with line(port) as third:
            status, body = await third.answer()
            assert (status, json.loads(body)["code"], connections.refused) == (503, "overloaded", 1)
        app.state.waits.set()
        assert [(await busy.answer())[0] for busy in (one, two)] == [200, 200]


async def test_one_address_has_its_share_and_a_proxy_that_is_named_has_all() -> None:
    for proxies, refused in (((), 1), (("127.0.0.1",), 0)):
        app = _app()
        async with listening(app, most_each=1) as (port, connections), line(port) as one:
            connections.proxies = frozenset(proxies)
            await one.say(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
            while len(connections._idle) or not len(connections):
                await asyncio.sleep(0.01)
            async with line(port) as two:
                await two.say(GET + b"\r\n")
                assert (await two.answer())[0] == (503 if refused else 200)
            assert connections.refused == refused


@pytest.mark.parametrize(("proxies", "seen"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.9")])
async def test_a_forwarded_address_is_believed_from_a_configured_proxy_alone(
    proxies: tuple[str, ...], seen: str
) -> None:
    app = _app()
    found = configured(app, ServiceConfig(proxies=proxies))
    async with (
        listening(app, proxy_headers=found.proxy_headers, forwarded_allow_ips=found.forwarded_allow_ips) as (port, _),
        line(port) as client,
    ):
        await client.say(GET + b"X-Forwarded-For: 203.0.113.9\r\n\r\n")
        assert json.loads((await client.answer())[1]) == seen


def test_the_service_is_served_with_limits_and_never_with_more_connections_than_handles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (64, 64))
    assert most_here(10_000) == 16
    found = configured(_app(), ServiceConfig())
    assert (found.connections.most, found.connections.most_each) == (16, 8)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (65_536, 65_536))
    assert configured(_app(), ServiceConfig()).connections.most == 10_000
    assert found.edge == Edge(32 * 1024, 10.0, 30.0)
    assert found.timeout_keep_alive == 30
