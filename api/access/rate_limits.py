"""What keeps one caller from taking the service away from the others.

Three fences, from cheap to dear: bodies are bounded before anyone reads them, each tenant has a token bucket per kind
of request, and only so many commands may wait for the single writer at once.  Each refusal comes early and says when
to come back.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple

from routing.errors import HalfhourError

__all__ = [
    "USUAL_RATES",
    "BodyLimit",
    "Limits",
    "Meter",
    "Overloaded",
    "Quota",
    "QuotaHeaders",
    "Rate",
    "RateLimited",
    "Slots",
    "TooLarge",
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class RateLimited(HalfhourError):
    """A tenant asks more often than agreed; details hold limit, remaining and retry_after_s."""

    code = "rate_limited"


class Overloaded(HalfhourError):
    """Too many requests wait already; details hold retry_after_s."""

    code = "overloaded"


class TooLarge(HalfhourError):
    """A body beyond the limit of its endpoint; details hold limit_bytes."""

    code = "too_large"


class Meter(StrEnum):
    """Kinds of requests, each with its own bucket."""

    READ = "read"
    WRITE = "write"
    QUOTE = "quote"
    POSITION = "position"
    STREAM = "stream"


class Rate(NamedTuple):
    """So many requests a second in the long run, `burst` at once."""

    per_s: float
    burst: int


USUAL_RATES: Mapping[Meter, Rate] = {
    Meter.READ: Rate(500, 1000),
    Meter.WRITE: Rate(1000, 2000),
    Meter.QUOTE: Rate(100, 200),
    Meter.POSITION: Rate(2000, 4000),
    Meter.STREAM: Rate(20, 250),
}
"""Far above what a city needs and below what one machine bears; a tenant's contract may say less."""


class Quota(NamedTuple):
    """What is left of a bucket: tokens of `limit`, and the seconds until it is full again."""

    limit: int
    remaining: int
    reset_s: int


class Limits:
    """Token buckets by caller and meter; remembers the `remembered` callers that asked last."""

    def __init__(self, rates: Mapping[Meter, Rate] = USUAL_RATES, *, remembered: int = 10_000) -> None:
        self._rates = dict(rates)
        self._remembered = remembered
        self._buckets: OrderedDict[tuple[str, Meter], tuple[float, float]] = OrderedDict()

    def take(self, caller: str, meter: Meter, now: float) -> Quota:
        """Takes one token of `caller`'s bucket at instant `now` (seconds); raises RateLimited if there is none."""
        rate, tokens = self._rates[meter], self._tokens(caller, meter, now)
        if tokens >= 1.0:
            return self._left(caller, meter, tokens - 1.0, now)
        self._left(caller, meter, tokens, now)
        wait_s = max(1, math.ceil((1.0 - tokens) / rate.per_s))
        raise RateLimited(
            f"more than {rate.per_s:g} {meter} requests a second",
            limit=rate.burst,
            remaining=0,
            retry_after_s=wait_s,
        )

    def charge(self, caller: str, meter: Meter, tokens: float, now: float) -> Quota:
        """Takes more for what has turned out to be dearer; the bucket may end below nothing, and is waited for then."""
        return self._left(caller, meter, self._tokens(caller, meter, now) - tokens, now)

    def _tokens(self, caller: str, meter: Meter, now: float) -> float:
        rate = self._rates[meter]
        tokens, filled_at = self._buckets.get((caller, meter), (float(rate.burst), now))
        return min(rate.burst, tokens + max(0.0, now - filled_at) * rate.per_s)

    def _left(self, caller: str, meter: Meter, tokens: float, now: float) -> Quota:
        rate = self._rates[meter]
        self._buckets[caller, meter] = (tokens, now)
        self._buckets.move_to_end((caller, meter))
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        return Quota(rate.burst, max(0, int(tokens)), math.ceil((rate.burst - tokens) / rate.per_s))


class Slots:
    """How much may be under way at once, in all and for each holder.

    Whoever holds slots shares them equally, and one more share is kept for who comes next: however many flood, a
    newcomer finds room.
    """

    def __init__(self, most: int, most_each: int | None = None, *, clock: Callable[[], float]) -> None:
        self.most = most
        self._most_each = most if most_each is None else most_each
        self._held: Counter[str] = Counter()
        self._clock = clock
        self._lasted_s: deque[float] = deque(maxlen=64)
        self.refused = 0

    @property
    def taken(self) -> int:
        """Slots in use."""
        return self._held.total()

    def share(self, holder: str) -> int:
        """Slots that `holder` may have at once, as things are."""
        holders = len(self._held) + (holder not in self._held)
        return min(self._most_each, math.ceil(self.most / (holders + 1)))

    def is_full(self, holder: str) -> bool:
        """True where `holder` would be refused now."""
        mine = self._held.get(holder, 0)
        kept_back = self.most // (len(self._held) + 1) if mine else 0
        return mine >= self.share(holder) or self.taken >= self.most - kept_back

    @contextmanager
    def held(self, holder: str) -> Iterator[None]:
        """One slot for the time of a `with`; raises Overloaded at once where none is free."""
        self.check(holder)
        self._held[holder] += 1
        began = self._clock()
        try:
            yield
        finally:
            self._lasted_s.append(self._clock() - began)
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]

    def check(self, holder: str) -> None:
        """Raises Overloaded where no slot is free for `holder`."""
        if self.is_full(holder):
            self.refused += 1
            raise Overloaded("too many at once already", limit=self.share(holder), retry_after_s=self.retry_after_s())

    async def held_while(self, holder: str, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """`stream`, with a slot held from its first piece to its end."""
        with self.held(holder):
            async for piece in stream:
                yield piece

    def retry_after_s(self) -> int:
        """A guess at when the queue has gone: what a slot lasted lately, at least a second, at most half a minute."""
        usual_s = sum(self._lasted_s) / len(self._lasted_s) if self._lasted_s else 0.0
        return min(30, max(1, math.ceil(2 * usual_s)))


class BodyLimit:
    """Refuses bodies beyond the limit of their path before the app sees a byte of them."""

    def __init__(
        self,
        app: App,
        *,
        refuse: Callable[[HalfhourError], App],
        usual_bytes: int = 16 * 1024,
        by_path: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._usual = usual_bytes
        self._by_path = dict(by_path or {"/v1/positions": 128 * 1024, "/v1/traffic": 1024 * 1024})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._by_path.get(scope["path"], self._usual)
        said = _content_length(scope)
        if said is None and not _is_chunked(scope):
            await self._app(scope, receive, send)
        elif said is not None and 0 <= said <= limit:
            await self._app(scope, receive, send)  # the server holds the client to the length it named
        elif said is not None or (messages := await _gathered(receive, limit)) is None:
            error = TooLarge(f"a body here has at most {limit} bytes", limit_bytes=limit)
            await self._refuse(error)(scope, receive, send)
        else:
            await self._app(scope, _replayed(messages, receive), send)


class QuotaHeaders:
    """Adds RateLimit-Limit, -Remaining and -Reset where an access rule has left a Quota in the request's state."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def with_quota(message: Message) -> None:
            quota: Quota | None = state.get("quota")
            if message["type"] == "http.response.start" and quota is not None:
                headers = list(message.get("headers", ()))
                for name, value in zip(("limit", "remaining", "reset"), quota, strict=True):
                    headers.append((f"ratelimit-{name}".encode(), str(value).encode()))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, with_quota)


def _content_length(scope: Scope) -> int | None:
    """The length a request names; -1 where it names nonsense, None where it names none."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 19 else -1
    return None


def _is_chunked(scope: Scope) -> bool:
    return any(name == b"transfer-encoding" for name, _ in scope["headers"])


async def _gathered(receive: Receive, limit: int) -> list[Message] | None:
    """The messages of a body without a named length, or None once it passes `limit`."""
    messages: list[Message] = []
    size = 0
    while True:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if size > limit:
            return None
        if message["type"] != "http.request" or not message.get("more_body", False):
            return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    waiting = deque(messages)

    async def next_message() -> Message:
        return waiting.popleft() if waiting else await receive()

    return next_message
