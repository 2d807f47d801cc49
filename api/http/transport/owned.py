"""No answer from a board that may be somebody else's by now, unless it says so.

A process that was stopped or cut off answers with what was true before.  Its writes are refused by the database; what
it only reads is refused here, by its own clock: while the last renewal of its tenure is too long ago.  A host that
follows a market answers what only reads, and says in every answer how far it is behind and who has the market.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from api.common.asgi import App, Message, Receive, Scope, Send
from api.common.errors import NotReady
from api.ledger.protocol import Following, Holder
from routing.errors import HalfhourError

LAG, OWNER = b"halfhour-lag-seconds", b"halfhour-owner"
_ABOUT_THE_PROCESS = ("/healthz", "/metrics")
_READS = ("GET", "HEAD", "OPTIONS")


class Behind(Protocol):
    """How far a host is behind the one that it follows."""

    @property
    def owner(self) -> Holder: ...

    @property
    def lag_s(self) -> float: ...


class Owned:
    """Refuses requests, and answers that are ready, while the ledger is neither surely ours nor followed."""

    def __init__(
        self,
        app: App,
        *,
        is_ours: Callable[[], bool],
        following: Callable[[], Behind | None] = lambda: None,
        refuse: Callable[[HalfhourError], App],
    ) -> None:
        self._app, self._is_ours, self._following, self._refuse = app, is_ours, following, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _ABOUT_THE_PROCESS:
            await self._app(scope, receive, send)
            return
        following = self._following()
        if following is not None:
            await self._followed(following, scope, receive, send)
            return
        if not self._is_ours():
            await self._refused(scope, receive, send)
            return
        withheld = False

        async def checked(message: Message) -> None:
            nonlocal withheld
            if message["type"] == "http.response.start" and message["status"] < 300 and not self._is_ours():
                withheld = True
                await self._refused(scope, receive, send)
            elif not withheld:
                await send(message)

        await self._app(scope, receive, checked)

    async def _followed(self, following: Behind, scope: Scope, receive: Receive, send: Send) -> None:
        host, address = following.owner
        lag_s = following.lag_s  # as of before anything is read

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [(LAG, f"{lag_s:.2f}".encode()), (OWNER, (address or host).encode())]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        if scope["method"] in _READS:
            await self._app(scope, receive, marked)
            return
        error = Following(
            "this host only follows the market: it writes nothing", host=host, address=address,
            hint=f"Send this to {address or host or 'the host that has the market'}.",
        )  # fmt: skip
        await self._refuse(error)(scope, receive, marked)

    async def _refused(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = NotReady(
            "this host may hold the market no longer", code="tenure_unsure", retry_after_s=1,
            hint="Ask again: it renews its tenure or ends, and another host answers.",
        )  # fmt: skip
        await self._refuse(error)(scope, receive, send)
