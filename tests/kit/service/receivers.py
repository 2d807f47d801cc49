"""Receivers of webhooks, well-behaved and not, and an outbox before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import replace

from api.ledger.outbox import Claimed, Due, Notice, Tried, Webhook
from api.ledger.protocol import Identity
from api.outbox.webhook_request import Post, ReceiverAnswer
from api.outbox.webhooks import Webhooks

NOW = 1_750_000_000


async def numbers(host: str, port: int) -> list[str]:
    """Finds addresses that are numbers."""
    return [host]


def resolver_of(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


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


async def one_request(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return headers, await reader.readexactly(int(headers["content-length"]))


def says(answer: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await one_request(reader)
        writer.write(answer)
        await writer.drain()

    return handler


async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(600)


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for sign in "HTTP/1.1 200 OK\r\nX-Slow: " + "y" * 1000:
        writer.write(sign.encode())
        await writer.drain()
        await asyncio.sleep(0.02)


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        await writer.drain()


async def takes_and_drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await one_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0.02)


async def takes_and_hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await one_request(reader)
    writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\nshort")
    await writer.drain()


class Box:
    """An outbox in memory with the ledger's promises."""

    def __init__(self, *webhooks: Webhook) -> None:
        self.kept = {webhook.webhook_id: webhook for webhook in webhooks}
        self.dues: dict[tuple[str, int], Due] = {}
        self.identity = Identity("ledger", "0" * 8)

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
        return already_done()

    def claim_due(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Due]:
        skipped = set(skip)
        found = [
            due
            for due in self.dues.values()
            if due.due_at <= now and due.webhook_id not in skipped and self.kept[due.webhook_id].enabled
        ]
        return sorted(found, key=lambda due: due.due_at)[:limit]

    @property
    def claim_s(self) -> float | None:
        return None

    def claim(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Claimed]:
        found = {name: Claimed(hook, [], self.identity.epoch) for name, hook in self.kept.items()}
        for due in self.claim_due(now, limit=limit, skip=skip):
            found[due.webhook_id].dues.append(due)
        return [claimed for claimed in found.values() if claimed.dues]

    def keep(self, webhook_ids: Sequence[str]) -> set[str]:
        return set(webhook_ids)

    def let_go(self, visit: Tried) -> Future[None]:
        hook = self.kept[visit.webhook.webhook_id]
        self.kept[hook.webhook_id] = replace(
            hook, failures=visit.failures, enabled=hook.enabled and not visit.disabled,
            disabled_reason=visit.disabled or hook.disabled_reason,
        )  # fmt: skip
        return already_done()

    def seen(self, webhook_id: str) -> None:
        """Only the sender knows."""

    def settle(self, done: Sequence[Due], later: Sequence[Due]) -> Future[None]:
        for due in done:
            del self.dues[due.webhook_id, due.notice.seq]
        for due in later:
            self.dues[due.webhook_id, due.notice.seq] = due
        return already_done()

    def left(self, webhook_id: str) -> list[int]:
        return sorted(seq for name, seq in self.dues if name == webhook_id)


def already_done() -> Future[None]:
    future: Future[None] = Future()
    future.set_result(None)
    return future


def one_webhook(name: str, url: str = "https://example.com/", secret: str = "whsec_c2VjcmV0") -> Webhook:
    return Webhook(name, "pizza", url, (secret,))


class Scripted(Post):
    """A receiver without a network: `says` gives the answer of each try."""

    def __init__(self, says: Callable[[str], ReceiverAnswer]) -> None:
        super().__init__("https://example.com/", clock=lambda: NOW, resolve=numbers)
        self.says, self.got = says, list[str]()

    async def send(self, secrets: Iterable[str], message_id: str, body: bytes) -> ReceiverAnswer:
        self.got.append(message_id)
        return self.says(message_id)


class World:
    """A sender on a clock that the test turns."""

    def __init__(self, box: Box, says: Callable[[str], ReceiverAnswer]) -> None:
        self.now, self.box, self.post = float(NOW), box, Scripted(says)
        self.sender = Webhooks(
            box,
            post=lambda hook: self.post,
            render=lambda epoch, notice: b"{}",
            clock=lambda: self.now,
            jitter=lambda: 0.5,
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
