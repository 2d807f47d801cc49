"""No answer from a board that may be somebody else's by now.

A process that was stopped or cut off answers with what was true before.  Its writes are refused by the database; what
it only reads is refused here, by its own clock: while the last renewal of its tenure is too long ago.
"""

from __future__ import annotations

from collections.abc import Callable

from api.common.asgi import App, Message, Receive, Scope, Send
from api.common.errors import NotReady
from routing.errors import HalfhourError

_ABOUT_THE_PROCESS = ("/healthz", "/metrics")


class Owned:
    """Refuses requests, and answers that are ready, while the ledger is not surely ours."""

    def __init__(self, app: App, *, is_ours: Callable[[], bool], refuse: Callable[[HalfhourError], App]) -> None:
        self._app, self._is_ours, self._refuse = app, is_ours, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _ABOUT_THE_PROCESS:
            await self._app(scope, receive, send)
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

    async def _refused(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = NotReady(
            "this host may hold the market no longer", code="tenure_unsure", retry_after_s=1,
            hint="Ask again: it renews its tenure or ends, and another host answers.",
        )  # fmt: skip
        await self._refuse(error)(scope, receive, send)
