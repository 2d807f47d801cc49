"""Early refusal of new work in a flood: before the body is parsed, where saying no costs least.

What is refused deep inside has already cost most of what it would have cost to do.
"""

from __future__ import annotations

from collections.abc import Callable

from api.access.keys import KeyBook
from api.access.lanes import is_new_work
from api.access.slots import Slots
from api.common.asgi import App, Receive, Scope, Send
from api.common.errors import Overloaded
from routing.errors import HalfhourError


class Shed:
    """Refuses new work of a tenant whose slots are all taken."""

    def __init__(
        self,
        app: App,
        *,
        slots: Slots,
        keys: KeyBook,
        clock: Callable[[], float],
        refuse: Callable[[HalfhourError], App],
    ) -> None:
        self._app, self._slots, self._keys, self._clock, self._refuse = app, slots, keys, clock, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_new_work(scope["method"], scope["path"]) and self._is_full(scope):
            self._slots.refused += 1
            error = Overloaded("too many requests are waiting already", retry_after_s=self._slots.retry_after_s())
            await self._refuse(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_full(self, scope: Scope) -> bool:
        if not self._slots.taken:
            return False
        key = self._keys.find(_bearer(scope), int(self._clock()))
        return key is not None and self._slots.is_full(key.tenant)


def _bearer(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return str(value[7:].decode("latin-1").strip())
    return ""
