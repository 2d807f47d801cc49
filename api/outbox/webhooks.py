"""What people do with webhooks beside sending to them: change them, try them, look how tries have ended."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Protocol

from api.access.slots import Slots
from api.common.errors import NotFound
from api.ledger.outbox import Notice, Webhook
from api.ledger.protocol import Identity
from api.outbox.event_kinds import TEST
from api.outbox.name_lookups import Lookups
from api.outbox.webhook_receivers import Attempt, Tries
from api.outbox.webhook_request import Post
from api.outbox.webhook_sender import Outbox, Sender
from api.outbox.webhook_signature import new_secret

__all__ = ["Webhooks", "enabled", "rotated"]

_TESTS, _TESTS_EACH = 16, 2


class WebhookShelf(Outbox, Protocol):
    """The part of the ledger that changing a webhook needs as well."""

    def webhooks(self, tenant: str | None = None) -> list[Webhook]: ...

    def save_webhook(self, webhook: Webhook) -> Future[None]: ...

    @property
    def identity(self) -> Identity: ...

    def seen(self, webhook_id: str) -> Mapping[str, Any] | None: ...


class Webhooks(Sender):
    """The webhooks of one market; `start` is left out where senders of their own send what is due.

    `change()` is the one way to alter a webhook, so that it and whoever sends do not overwrite each other's fields.
    """

    def __init__(
        self,
        shelf: WebhookShelf,
        *,
        post: Callable[[Webhook], Post],
        names: Lookups | None = None,
        render: Callable[[str, Notice], bytes],
        clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
        at_once: int = 8,
        development: bool = False,
    ) -> None:
        super().__init__(shelf, post=post, render=render, clock=clock, jitter=jitter, at_once=at_once)
        self.names = names or Lookups()
        """Finds the addresses of receivers."""
        self.development = development
        """Receivers on loopback are allowed: for whoever tries things on their own machine."""
        self._shelf = shelf
        self._tests = Slots(_TESTS, _TESTS_EACH, clock=clock)

    async def change(self, webhook_id: str, changed: Callable[[Webhook], Webhook]) -> Webhook:
        """Applies `changed` to a webhook durably; raises NotFound (unknown_webhook)."""
        async with self._lock:
            now = changed(await asyncio.to_thread(self._found, webhook_id))
            await asyncio.wrap_future(self._shelf.save_webhook(now))
        line = self._lines.get(webhook_id)
        if line is not None and now.failures < line.failures:
            line.failures, line.rests_until = now.failures, 0.0
        self.notify()
        return now

    def _found(self, webhook_id: str) -> Webhook:
        for webhook in self._shelf.webhooks():
            if webhook.webhook_id == webhook_id:
                return webhook
        raise NotFound("there is no such webhook here", code="unknown_webhook", id=webhook_id)

    async def test(self, webhook: Webhook) -> Attempt:
        """Sends a signed message that is no event, once, and says how that ended; a failure counts for nothing."""
        with self._tests.held(webhook.tenant):
            line = await self._line(webhook)
            made = Notice(0, f"evt_{uuid.uuid4().hex}", webhook.tenant, TEST, webhook.webhook_id, 0,
                          int(self._clock()), {"webhook_id": webhook.webhook_id})  # fmt: skip
            body = self._render(self._shelf.identity.epoch, made)
            _, attempt = await self._tried(webhook, line, made, body, 1)
            line.attempts.append(attempt)
            return attempt

    async def tries(self, webhook: Webhook) -> Tries:
        """What is known of a receiver: what senders have told each other, or since the service started."""
        line = self._lines.get(webhook.webhook_id)
        shared = await asyncio.to_thread(self._shelf.seen, webhook.webhook_id)
        if shared is None:
            return line or Tries(webhook.failures)
        found = Tries(webhook.failures)
        found.learn(shared)
        tests = [one for one in line.attempts if one.kind == TEST] if line is not None else []
        found.attempts.extend(tests)
        return found


def rotated(webhook: Webhook, secret: str | None = None) -> Webhook:
    """A copy that signs with a new secret first and the last one after it; any older one goes."""
    return replace(webhook, secrets=(secret or new_secret(), *webhook.secrets[:1]))


def enabled(webhook: Webhook) -> Webhook:
    """A copy that is tried again."""
    return replace(webhook, enabled=True, failures=0, disabled_reason="")
