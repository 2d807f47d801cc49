"""Signatures, SSRF rules, and the sender against receivers that misbehave."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access.rules import NotFound
from api.ledger.protocol import Due, Notice, Webhook
from api.outbox.webhook_addresses import UnsafeTarget, check_url, is_public, pin
from api.outbox.webhook_request import Answer, Post
from api.outbox.webhook_sender import MOST_FAILURES, MOST_TRIES, Webhooks, enabled, retry_wait_s, rotated
from api.outbox.webhook_signature import InvalidSignature, new_secret, signed_headers, verify
from tests.kit.service.running import order, running, with_city

NOW = 1_750_000_000
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# --- signatures -----------------------------------------------------------------------------------------------------


def test_the_signature_is_the_one_of_the_standard() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the example secret of the Standard Webhooks text
    body = b'{"test": 2432232314}'
    headers = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    content = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("offset", "good"), [(0, True), (299, True), (300, True), (301, False), (-300, True), (-301, False)]
)
def test_a_captured_message_is_worthless_after_the_tolerance(offset: int, good: bool) -> None:
    secret = new_secret()
    headers = signed_headers([secret], "evt_1", NOW, b"{}")
    if good:
        assert verify([secret], headers, b"{}", now=NOW + offset) == "evt_1"
    else:
        with pytest.raises(InvalidSignature):
            verify([secret], headers, b"{}", now=NOW + offset)


def test_in_rotation_either_secret_verifies_and_a_third_does_not() -> None:
    old, new, other = new_secret(), new_secret(), new_secret()
    headers = signed_headers([new, old], "evt_1", NOW, b"{}")
    assert verify([old], headers, b"{}", now=NOW) == verify([new], headers, b"{}", now=NOW) == "evt_1"
    assert verify([other, new], headers, b"{}", now=NOW) == "evt_1"
    with pytest.raises(InvalidSignature):
        verify([other], headers, b"{}", now=NOW)


@given(st.binary(min_size=1, max_size=50), st.integers(0, 399))
def test_no_flipped_bit_passes(body: bytes, bit: int) -> None:
    secret = new_secret()
    headers = signed_headers([secret], "evt_1", NOW, body)
    changed = bytearray(body)
    changed[bit // 8 % len(body)] ^= 1 << bit % 8
    with pytest.raises(InvalidSignature):
        verify([secret], headers, bytes(changed), now=NOW)
    for name, value in (("webhook-id", "evt_2"), ("webhook-timestamp", str(NOW + 1))):
        with pytest.raises(InvalidSignature):
            verify([secret], {**headers, name: value}, body, now=NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "evt_1", "webhook-timestamp": "soon", "webhook-signature": "v1,x"},
        {"webhook-id": "evt_1", "webhook-timestamp": str(NOW), "webhook-signature": ""},
        {"webhook-id": "evt_1", "webhook-timestamp": str(NOW), "webhook-signature": "v2,abc v1,é v1, " + "v1,a " * 99},
    ],
)
def test_malformed_headers_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidSignature):
        verify([new_secret()], headers, b"{}", now=NOW)


# --- targets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook", "ftp://example.com/", "https://user:pass@example.com/", "https://example.com/#x",
        "https:///nohost", "https://exa mple.com/", "https://example.com:0/", "https://example.com:99999/",
        "https://example.com/" + "a" * 2048, "http://localhost/", "https://[::1", "gopher:x", "",
        "https://example.com:22/", "https://example.com:444/", "https://10.1.2.3/", "https://169.254.169.254:8443/",
        "https://127.0.0.1/", "https://[::1]/", "https://[fec0::1]/", "https://localhost/", "https://LOCALHOST.:8443/",
        "https://printer.local/", "https://metadata.google.internal/",
    ],
)  # fmt: skip
def test_urls_that_may_not_be_registered(url: str) -> None:
    with pytest.raises(UnsafeTarget) as unsafe:
        check_url(url)
    assert unsafe.value.details["field"] == "url"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1",
        "2002:7f00:0001::", "64:ff9b::a9fe:a9fe", "192.0.2.1", "not an address",
        "fec0::1", "3fff::1", "3fff:fff::1", "5f00::1", "100::1", "2001:20::1", "2001:db8::1", "192.88.99.1",
        "198.18.0.1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


async def numbers(host: str, port: int) -> list[str]:
    """Finds addresses that are numbers."""
    return [host]


def _resolver(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


async def test_the_address_that_was_checked_is_the_one_that_is_called() -> None:
    pinned = await pin("https://hooks.example.com/in?a=1", _resolver("93.184.216.34"))
    assert pinned == ("https://93.184.216.34:443/in?a=1", "hooks.example.com", "hooks.example.com")
    pinned = await pin("https://hooks.example.com:8443", _resolver("2606:4700::1111"))
    assert pinned == ("https://[2606:4700::1111]:8443/", "hooks.example.com:8443", "hooks.example.com")


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    for addresses in (("93.184.216.34", "10.0.0.1"), ("169.254.169.254",), ()):
        with pytest.raises(UnsafeTarget):
            await pin("https://hooks.example.com/", _resolver(*addresses))
    with pytest.raises(UnsafeTarget):
        await pin("https://rebind.example.com/", _resolver("127.0.0.1"))
    assert (await pin("http://127.0.0.1:9/x", _resolver("127.0.0.1"), development=True)).url == "http://127.0.0.1:9/x"


async def test_a_name_that_rebinds_is_caught_at_the_second_request_and_the_first_goes_to_the_checked_address() -> None:
    answers = [["93.184.216.34"], ["10.0.0.7"]]
    called: list[httpx.Request] = []

    async def resolve(host: str, port: int) -> list[str]:
        return answers.pop(0)

    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    def answer(request: httpx.Request) -> httpx.Response:
        called.append(request)
        return httpx.Response(204, content=nothing())

    post = Post("https://r.example.com/h", clock=lambda: NOW, resolve=resolve, transport=httpx.MockTransport(answer))
    assert (await post.send([new_secret()], "evt_1", b"{}")).is_taken
    assert (await post.send([new_secret()], "evt_2", b"{}")) == Answer(None, "unsafe_target")
    assert [request.url.host for request in called] == ["93.184.216.34"]
    assert called[0].headers["host"] == "r.example.com"
    assert called[0].extensions["sni_hostname"] == "r.example.com"


# --- hostile receivers on loopback ----------------------------------------------------------------------------------

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def receiver(handler: Handler) -> AsyncIterator[str]:
    """A raw server on loopback; its URL."""

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


async def _request(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return headers, await reader.readexactly(int(headers["content-length"]))


def _says(answer: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(answer)
        await writer.drain()

    return handler


async def _never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(600)


async def _drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for sign in "HTTP/1.1 200 OK\r\nX-Slow: " + "y" * 1000:
        writer.write(sign.encode())
        await writer.drain()
        await asyncio.sleep(0.02)


async def _floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        await writer.drain()


async def _takes_and_drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _takes_and_hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _request(reader)
    writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\nshort")
    await writer.drain()


HOSTILE = {
    "takes it, then drips": (_takes_and_drips, Answer(200)),
    "takes it, then hangs up": (_takes_and_hangs_up, Answer(202)),
    "comes back by date": (
        _says(
            b"HTTP/1.1 503 No\r\nRetry-After: Sun, 15 Jun 2025 15:08:00 GMT\r\nContent-Length: 0\r\n\r\n"
        ),
        Answer(503, "", 80),
    ),
    "slow": (_never, Answer(None, "timeout")),
    "drips": (_drips, Answer(None, "timeout")),
    "floods": (_floods, Answer(200)),
    "hangs up": (_says(b""), Answer(None, "RemoteProtocolError")),
    "garbage": (_says(b"\x00\xff\r\n\r\n"), Answer(None, "RemoteProtocolError")),
    "gone": (_says(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), Answer(410)),
    "broken": (_says(b"HTTP/1.1 500 No\r\nRetry-After: 77\r\nContent-Length: 0\r\n\r\n"), Answer(500, "", 77)),
    "moved": (
        _says(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
        Answer(302),
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_whatever_a_receiver_does_is_an_answer(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    handler, expected = HOSTILE[kind]
    monkeypatch.setattr("api.outbox.webhook_request._READ_OUT_S", 0.05)
    async with receiver(handler) as url:
        patience_s = 0.4 if expected.problem == "timeout" else 60.0
        post = Post(url, clock=lambda: NOW, resolve=numbers, development=True, timeout_s=patience_s)
        assert await post.send([new_secret()], "evt_1", b"{}") == expected
        await post.close()


async def test_a_receiver_that_is_not_there_is_an_answer() -> None:
    async with receiver(_never) as url:
        pass
    post = Post(url, clock=lambda: NOW, resolve=numbers, development=True, timeout_s=60.0)
    assert (await post.send([new_secret()], "evt_1", b"{}")).problem == "ConnectError"


# --- the sender -----------------------------------------------------------------------------------------------------


class Box:
    """An outbox in memory with the ledger's promises."""

    def __init__(self, *webhooks: Webhook) -> None:
        self.kept = {webhook.webhook_id: webhook for webhook in webhooks}
        self.dues: dict[tuple[str, int], Due] = {}

    def add(self, count: int) -> None:
        for seq in range(len(self.dues) + 1, len(self.dues) + 1 + count):
            notice = Notice(seq, f"evt_{seq}", "pizza", "delivery.created", f"d{seq}", 1, NOW, {})
            for webhook in self.kept.values():
                if webhook.enabled:
                    self.dues[webhook.webhook_id, seq] = Due(webhook.webhook_id, notice, 0, NOW)

    def webhooks(self, tenant: str | None = None) -> list[Webhook]:
        return list(self.kept.values())

    def save_webhook(self, webhook: Webhook) -> Future[None]:
        self.kept[webhook.webhook_id] = webhook
        return _done()

    def claim_due(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Due]:
        skipped = set(skip)
        found = [
            due
            for due in self.dues.values()
            if due.due_at <= now and due.webhook_id not in skipped and self.kept[due.webhook_id].enabled
        ]
        return sorted(found, key=lambda due: due.due_at)[:limit]

    def settle(self, done: Sequence[Due], later: Sequence[Due]) -> Future[None]:
        for due in done:
            del self.dues[due.webhook_id, due.notice.seq]
        for due in later:
            self.dues[due.webhook_id, due.notice.seq] = due
        return _done()

    def left(self, webhook_id: str) -> list[int]:
        return sorted(seq for name, seq in self.dues if name == webhook_id)


def _done() -> Future[None]:
    future: Future[None] = Future()
    future.set_result(None)
    return future


def _webhook(name: str, url: str = "https://example.com/", secret: str = "whsec_c2VjcmV0") -> Webhook:
    return Webhook(name, "pizza", url, (secret,))


class Scripted(Post):
    """A receiver without a network: `says` gives the answer of each try."""

    def __init__(self, says: Callable[[str], Answer]) -> None:
        super().__init__("https://example.com/", clock=lambda: NOW, resolve=numbers)
        self.says, self.got = says, list[str]()

    async def send(self, secrets: Iterable[str], message_id: str, body: bytes) -> Answer:
        self.got.append(message_id)
        return self.says(message_id)


class World:
    """A sender on a clock that the test turns."""

    def __init__(self, box: Box, says: Callable[[str], Answer]) -> None:
        self.now, self.box, self.post = float(NOW), box, Scripted(says)
        self.sender = Webhooks(
            box, post=lambda hook: self.post, render=lambda notice: b"{}", clock=lambda: self.now, jitter=lambda: 0.5
        )

    async def work(self) -> None:
        """Sends all that may go at this instant."""
        for _ in range(10_000):
            if not await self.sender._start_tasks():
                return
            await asyncio.gather(*self.sender._tasks)
        raise AssertionError("the sender never rests")

    async def until(self, end: float, step_s: float) -> None:
        while self.now < end:
            await self.work()
            self.now += step_s


async def test_everything_due_goes_once() -> None:
    box = Box(_webhook("w"))
    world = World(box, lambda message: Answer(200))
    box.add(450)
    await world.work()
    assert sorted(world.post.got) == sorted(f"evt_{seq}" for seq in range(1, 451))
    assert box.left("w") == [] and world.sender.counts["sent"] == 450


async def test_an_hour_of_outage_loses_nothing_and_is_probed_gently() -> None:
    box = Box(_webhook("w"))
    box.add(1000)
    world = World(box, lambda message: Answer(200 if world.now >= NOW + 3600 else 503))
    await world.until(NOW + 3600, 5)
    assert len(world.post.got) < 60 and len(box.left("w")) == 1000
    await world.until(NOW + 2 * 3600, 60)
    assert box.left("w") == []
    assert box.kept["w"].enabled


async def test_a_notice_is_given_up_after_a_day_while_others_go_on() -> None:
    box = Box(_webhook("w"))
    box.add(1)
    world = World(box, lambda message: Answer(400 if message == "evt_1" else 200))
    tries_at = []
    while box.left("w"):
        before = len(world.post.got)
        await world.work()
        if len(world.post.got) > before:
            tries_at.append(world.now - NOW)
        world.now += 5
        world.sender._lines["w"].failures = 0  # other notices go well in between
    assert len(tries_at) == MOST_TRIES and world.sender.counts["given_up"] == 1
    assert 23 * 3600 < tries_at[-1] < 25 * 3600
    assert tries_at[:4] == [0, 5, 35, 155]  # waits of 5, 30 and 120 s at the middle of the jitter


def test_waits_are_spread_by_the_jitter() -> None:
    assert [retry_wait_s(3, jitter) for jitter in (0.0, 0.5, 0.999)] == [480, 600, 720]
    assert retry_wait_s(99, 0.5) == 7200


async def test_a_receiver_that_fails_300_times_in_a_row_is_disabled_until_its_owner_enables_it() -> None:
    box = Box(_webhook("w"))
    world = World(box, lambda message: Answer(500))
    for _ in range(3000):
        if not box.kept["w"].enabled:
            break
        box.add(1)
        await world.work()
        world.now += 600
    assert (box.kept["w"].enabled, box.kept["w"].disabled_reason) == (False, "failing")
    assert len(world.post.got) == MOST_FAILURES
    world.post.says = lambda message: Answer(200)
    await world.sender.change("w", enabled)
    await world.work()
    world.now += 3 * 3600
    await world.work()
    assert box.left("w") == []


async def test_410_disables_at_once_and_success_forgets_failures() -> None:
    box = Box(_webhook("w"))
    box.add(1)
    world = World(box, lambda message: Answer(410))
    await world.work()
    assert box.kept["w"].disabled_reason == "gone" and len(box.left("w")) == 1
    with pytest.raises(NotFound):
        await world.sender.change("nobody", enabled)


async def test_retry_after_is_heeded_up_to_a_bound() -> None:
    box = Box(_webhook("w"))
    box.add(1)
    world = World(box, lambda message: Answer(429, "", 900))
    await world.work()
    assert box.dues["w", 1].due_at == NOW + 900
    world.post.says = lambda message: Answer(429, "", 10**7)
    world.now = NOW + 900.0
    await world.work()
    assert box.dues["w", 1].due_at == NOW + 900 + 7200


async def test_a_receiver_that_asks_for_rest_gets_it_whole() -> None:
    box = Box(_webhook("w"))
    box.add(50)
    world = World(box, lambda message: Answer(429, "", 1800) if world.now < NOW + 3600 else Answer(200))
    tries: list[int] = []
    while world.now < NOW + 3600:
        await world.work()
        tries.append(len(world.post.got))
        world.now += 30
    assert tries[0] == 8 and tries[-1] == 9  # eight at once before it has said anything, then one after half an hour
    for _ in range(10):
        await world.work()
        world.now += 1800
    assert box.left("w") == []


async def test_no_receiver_waits_for_another() -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    async def good(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await _request(reader))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()

    secret = new_secret()
    async with receiver(_never) as slow_url, receiver(_floods) as flood_url, receiver(good) as good_url:
        box = Box(_webhook("slow", slow_url), _webhook("flood", flood_url), _webhook("good", good_url, secret))
        box.add(300)
        sender = Webhooks(
            box,
            post=lambda hook: Post(hook.url, clock=lambda: NOW, resolve=numbers, development=True, timeout_s=300.0),
            render=lambda notice: f'{{"id":"{notice.event_id}"}}'.encode(),
            clock=lambda: NOW,
        )
        sender.start()
        async with asyncio.timeout(120):
            while box.left("good"):
                await asyncio.sleep(0.01)
        assert len(box.left("slow")) == 300  # still hanging on its first requests
        await sender.close()
    assert len(got) == 300
    for headers, body in got:
        assert verify([secret], headers, body, now=NOW) in body.decode()


async def test_an_outbox_that_fails_now_is_read_again() -> None:
    box = Box(_webhook("w"))
    box.add(1)
    calls = 0
    claim = box.claim_due

    def failing(now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Due]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError("disk")
        return claim(now, limit=limit, skip=skip)

    box.claim_due = failing  # type: ignore[method-assign]
    world = World(box, lambda message: Answer(200))
    world.sender.start()
    async with asyncio.timeout(120):
        while box.left("w"):
            world.sender.notify()
            await asyncio.sleep(0.01)
    await world.sender.close()
    assert calls >= 2


async def test_rotation_keeps_two_secrets_and_a_change_of_url_is_followed() -> None:
    webhook = _webhook("w", secret="whsec_b25l")
    assert rotated(rotated(webhook, "whsec_dHdv"), "whsec_dGhyZWU=").secrets == ("whsec_dGhyZWU=", "whsec_dHdv")
    box = Box(webhook)
    made: list[str] = []

    def post(hook: Webhook) -> Post:
        made.append(hook.url)
        scripted = Scripted(lambda message: Answer(200))
        scripted.url = hook.url
        return scripted

    sender = Webhooks(box, post=post, render=lambda notice: b"{}", clock=lambda: NOW)
    for url in ("https://example.com/", "https://example.org/"):
        await sender.change("w", lambda kept, url=url: replace(kept, url=url))
        box.add(1)
        await sender._start_tasks()
        await asyncio.gather(*sender._tasks)
    assert made == ["https://example.com/", "https://example.org/"]


# --- what its owner sees ---------------------------------------------------------------------------------------------


async def test_a_webhook_that_would_never_hear_anything_is_refused_when_it_is_made(tmp_path: Path) -> None:
    public = {"good.example": ["93.184.216.34"], "inside.example": ["93.184.216.34", "10.0.0.7"]}
    async with running(tmp_path, development=False) as run:
        run.app.state.webhooks.names._find = lambda host, port: public.get(host) or _unknown(host)

        async def made(client: httpx.AsyncClient, **body: object) -> tuple[int, str, str]:
            answer = (await client.post("/v1/webhooks", json=body)).json()
            errors = answer.get("field_errors") or [{}]
            return answer.get("status", 201), answer.get("code", ""), errors[0].get("field")

        good = "https://good.example/"
        assert await made(run.orders, url=good, kinds=["delivery.foo"]) == (422, "validation_failed", "kinds")
        assert await made(run.orders, url=good, kinds=["rider.lost"]) == (422, "validation_failed", "kinds")
        for url in ("https://inside.example/", "https://10.1.2.3/", "https://169.254.169.254/", "https://good.example:22/"):
            assert (await made(run.orders, url=url))[1:] == ("unsafe_target", "url")
        assert (await made(run.orders, url="https://later.example/", kinds=["delivery.delivered"]))[0] == 201
        assert (await made(run.ops, url=good, kinds=["rider.lost"]))[0] == 201
        hook = (await run.orders.get("/v1/webhooks")).json()["webhooks"][0]["webhook_id"]
        for change in ({"url": "https://inside.example/"}, {"kinds": ["delivery.foo"]}):
            assert (await run.orders.patch(f"/v1/webhooks/{hook}", json=change)).status_code == 422


def _unknown(host: str) -> list[str]:
    raise OSError(host)


async def test_a_test_call_and_every_try_can_be_looked_at(tmp_path: Path) -> None:
    status = b"503 Busy"

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with running(tmp_path) as run, receiver(answers) as url:
        await with_city(run)
        hook = (await run.orders.post("/v1/webhooks", json={"url": url})).json()["webhook_id"]
        tested = (await run.orders.post(f"/v1/webhooks/{hook}/test")).json()
        assert (tested["kind"], tested["taken"], tested["status"], tested["error"]) == (
            "webhook.test", False, 503, "answered 503",
        )  # fmt: skip
        seen = (await run.orders.get(f"/v1/webhooks/{hook}")).json()
        assert (seen["failures"], seen["last_error"]) == (0, None)  # a test counts for nothing
        await run.orders.post("/v1/deliveries", json=order("o1"))

        async def failed() -> dict[str, object] | None:
            found = (await run.orders.get(f"/v1/webhooks/{hook}")).json()
            return found if found["failures"] else None

        seen = await run.until(failed)
        assert (seen["last_error"], seen["last_sent_at"]) == ("answered 503", None) and seen["last_error_at"]
        tries = (await run.orders.get(f"/v1/webhooks/{hook}/attempts")).json()["attempts"]
        assert [one["kind"] for one in tries][-2:] == ["delivery.created", "webhook.test"]
        assert tries[-2]["attempt"] == 1 and tries[-2]["lasted_ms"] >= 0
        status = b"204 OK"
        assert (await run.orders.post(f"/v1/webhooks/{hook}/test")).json()["taken"] is True
        assert (await run.other.post(f"/v1/webhooks/{hook}/test")).status_code == 404
        assert (await run.other.get(f"/v1/webhooks/{hook}/attempts")).status_code == 404


# --- the whole way --------------------------------------------------------------------------------------------------


async def test_a_tenant_gets_what_happens_to_its_deliveries_signed_once_and_again_on_request(tmp_path: Path) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    async def good(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await _request(reader))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with running(tmp_path) as run, receiver(good) as url:
        await with_city(run)
        body = {"url": url, "kinds": ["delivery.created", "delivery.cancelled"]}
        key = {"Idempotency-Key": "hook"}
        hook = (await run.orders.post("/v1/webhooks", json=body, headers=key)).json()
        again = await run.orders.post("/v1/webhooks", json=body, headers=key)
        assert again.json() == hook and again.headers["idempotent-replayed"] == "true"
        assert (await run.orders.get(f"/v1/webhooks/{hook['webhook_id']}")).json()["secret"] is None
        for name in ("o1", "o2"):
            await run.orders.post("/v1/deliveries", json=order(name))
        await run.other.post("/v1/deliveries", json=order("foreign"))
        await run.orders.post("/v1/deliveries/o1/cancel", json={})
        await run.until(lambda: len(got) >= 3)

        def said() -> list[tuple[str, str]]:
            events = [json.loads(body) for _, body in got]
            return sorted((event["kind"], event["data"]["external_delivery_id"]) for event in events)

        first = [("delivery.cancelled", "o1"), ("delivery.created", "o1"), ("delivery.created", "o2")]
        assert said() == first
        for headers, sent in got:
            now = int(headers["webhook-timestamp"])
            assert verify([hook["secret"]], headers, sent, now=now) == json.loads(sent)["id"]
            assert b"Canary" not in sent and b"+49151" not in sent

        path = f"/v1/webhooks/{hook['webhook_id']}"
        new = (await run.orders.post(f"{path}/rotate")).json()["secret"]
        await run.orders.post(f"{path}/redeliver", json={"after": "0"})
        await run.until(lambda: len(got) >= 6)
        assert said() == sorted(first * 2)
        headers, sent = got[-1]
        for secret in (new, hook["secret"]):
            assert verify([secret], headers, sent, now=int(headers["webhook-timestamp"]))

        await run.orders.patch(path, json={"enabled": False})
        await run.orders.post("/v1/deliveries", json=order("o3"))
        assert (await run.orders.delete(path)).status_code == 204
        assert (await run.orders.get(path)).status_code == 404
        assert len(got) == 6


async def test_a_webhook_made_again_with_its_key_is_the_same_with_its_secret(tmp_path: Path) -> None:
    key, body = {"Idempotency-Key": "w"}, {"url": "https://example.com/h"}
    async with running(tmp_path) as run:
        first = (await run.orders.post("/v1/webhooks", json=body, headers=key)).json()
        assert first["secret"] not in str(run.ledger.answer("acme", "POST /v1/webhooks", "w"))
    async with running(tmp_path) as run:
        again = await run.orders.post("/v1/webhooks", json=body, headers=key)
        assert again.status_code == 201 and again.json() == first, "an answer lost on the way is not lost for good"
        assert len((await run.orders.get("/v1/webhooks")).json()["webhooks"]) == 1
        await run.orders.post(f"/v1/webhooks/{first['webhook_id']}/rotate")
        rotated = (await run.orders.post("/v1/webhooks", json=body, headers=key)).json()
        assert rotated == first | {"secret": None}, "a secret of later is told to who has rotated, not to an old key"
        await run.orders.delete(f"/v1/webhooks/{first['webhook_id']}")
        assert (await run.orders.post("/v1/webhooks", json=body, headers=key)).json()["secret"] is None


async def test_a_webhook_that_is_no_public_address_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, development=False) as run:
        for url in ("http://example.com/", "https://user:pw@example.com/", "http://127.0.0.1/"):
            answer = await run.orders.post("/v1/webhooks", json={"url": url})
            assert (answer.status_code, answer.json()["code"]) == (422, "unsafe_target"), url
        answers = [await run.orders.post("/v1/webhooks", json={"url": f"https://e.com/{k}"}) for k in range(21)]
        assert [answer.status_code for answer in answers] == [201] * 20 + [422]
        assert answers[-1].json()["code"] == "limit_reached"
