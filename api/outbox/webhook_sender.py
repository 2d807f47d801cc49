"""Events out: what the ledger's outbox holds, sent to each webhook without one waiting for another.

The outbox row of a notice is written in the transaction that made it, and goes when the receiver has said 2xx.  In
between, a failed notice waits longer and longer, for a day in all; a receiver that fails again and again *rests*: it is
probed with one notice at a time, and after 300 failures in a row it is disabled.  What a receiver missed it can read at
/v1/events.  A crash sends again what was in hand; receivers tell doubles by `webhook-id`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol

from api.access.slots import Slots
from api.common.errors import NotFound
from api.ledger.protocol import Due, Notice, Webhook
from api.outbox.event_kinds import TEST
from api.outbox.name_lookups import Lookups
from api.outbox.webhook_receivers import LONGEST_WAIT_S, Attempt, ReceiverLine, words_of
from api.outbox.webhook_request import Post, ReceiverAnswer
from api.outbox.webhook_signature import new_secret

__all__ = ["MOST_FAILURES", "MOST_TRIES", "Outbox", "Webhooks", "enabled", "retry_wait_s", "rotated"]

MOST_FAILURES = 300
"""After so many failures in a row a webhook is disabled, and its owner must enable it again."""
MOST_TRIES = 18
"""A notice is tried this often: with the waits below, for 24 hours."""
_WAITS_S = (5, 30, 120, 600, 1800, 3600)
_POLL_S = 1.0
_TESTS, _TESTS_EACH = 16, 2

_log = logging.getLogger(__name__)


class Outbox(Protocol):
    """The part of the ledger that sending needs."""

    def webhooks(self, tenant: str | None = None) -> list[Webhook]: ...

    def save_webhook(self, webhook: Webhook) -> Future[None]: ...

    def claim_due(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Due]: ...

    def settle(self, done: Sequence[Due], later: Sequence[Due]) -> Future[None]: ...


class Webhooks:
    """Sends what is due, one task for each receiver at work.

    `notify()` says that notices have been committed; without it they are found within a second.  `change()` is the one
    way to alter a webhook while the sender runs, so that neither overwrites the other's fields.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        post: Callable[[Webhook], Post],
        names: Lookups | None = None,
        render: Callable[[Notice], bytes],
        clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
        at_once: int = 8,
        development: bool = False,
    ) -> None:
        self.names = names or Lookups()
        """Finds the addresses of receivers."""
        self.development = development
        """Receivers on loopback are allowed: for whoever tries things on their own machine."""
        self._outbox, self._post, self._render, self._clock = outbox, post, render, clock
        self._jitter, self._at_once = jitter, at_once
        self._lines: dict[str, ReceiverLine] = {}
        self._tests = Slots(_TESTS, _TESTS_EACH, clock=clock)
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: asyncio.Task[None] | None = None
        self.counts: dict[str, int] = dict.fromkeys(("sent", "failed", "given_up", "disabled"), 0)

    def start(self) -> None:
        """Begins to send."""
        self._runner = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stops; what was in hand stays due."""
        tasks = [*self._tasks, *([self._runner] if self._runner else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in self._lines.values():
            await line.post.close()
        self._lines.clear()

    def notify(self) -> None:
        """Notices were committed, or webhooks have changed."""
        self._wake.set()

    async def change(self, webhook_id: str, changed: Callable[[Webhook], Webhook]) -> Webhook:
        """Applies `changed` to a webhook durably; raises NotFound (unknown_webhook)."""
        async with self._lock:
            now = changed(self._found(webhook_id))
            await asyncio.wrap_future(self._outbox.save_webhook(now))
        line = self._lines.get(webhook_id)
        if line is not None and now.failures < line.failures:
            line.failures, line.rests_until = now.failures, 0.0
        self.notify()
        return now

    def _found(self, webhook_id: str) -> Webhook:
        for webhook in self._outbox.webhooks():
            if webhook.webhook_id == webhook_id:
                return webhook
        raise NotFound("there is no such webhook here", code="unknown_webhook", id=webhook_id)

    async def _run(self) -> None:
        """Hands what is due to a task for each receiver; an outbox that cannot be read now can be read later."""
        is_readable = True
        while True:
            self._wake.clear()
            try:
                started = await self._start_tasks()
                is_readable = True
            except Exception:
                if is_readable:  # say it once, not every second
                    _log.exception("the outbox cannot be read")
                is_readable = started = False
            if not started:
                await _woken(self._wake, _POLL_S)

    async def _start_tasks(self) -> bool:
        now = self._clock()
        skip = [name for name, line in self._lines.items() if line.busy or line.rests_until > now]
        dues = await asyncio.to_thread(self._outbox.claim_due, int(now), limit=200, skip=skip)
        if not dues:
            return False
        webhooks = {webhook.webhook_id: webhook for webhook in self._outbox.webhooks()}
        batches = defaultdict[str, list[Due]](list)
        for due in dues:
            batches[due.webhook_id].append(due)
        for webhook_id, batch in batches.items():
            if webhook_id in webhooks:
                line = await self._line(webhooks[webhook_id])
                line.busy = True
                task = asyncio.create_task(self._serve(webhooks[webhook_id], line, batch))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return True

    async def _line(self, webhook: Webhook) -> ReceiverLine:
        line = self._lines.get(webhook.webhook_id)
        if line is not None and line.post.url != webhook.url:
            await line.post.close()
            line.post, line.rests_until = self._post(webhook), 0.0
        if line is None:
            line = self._lines[webhook.webhook_id] = ReceiverLine(self._post(webhook), webhook.failures)
        return line

    async def _serve(self, webhook: Webhook, line: ReceiverLine, batch: list[Due]) -> None:
        """Sends a batch, a few notices at once, after a failure one; leaves the rest due once the receiver rests."""
        try:
            failures, disabled = line.failures, ""
            while batch and not disabled and line.rests_until <= self._clock():
                step = 1 if line.failures else self._at_once
                tried, batch = batch[:step], batch[step:]
                answers = await asyncio.gather(*(self._send(webhook, line, due) for due in tried))
                disabled = await self._book(line, list(zip(tried, answers, strict=True)))
            if disabled or line.failures // 10 != failures // 10:
                await self.change(webhook.webhook_id, lambda kept: _failed(kept, line.failures, disabled))
        except Exception:
            _log.exception("sending stopped", extra={"webhook_id": webhook.webhook_id})
            line.rests_until = self._clock() + _POLL_S
        finally:
            line.busy = False
            self.notify()

    async def _send(self, webhook: Webhook, line: ReceiverLine, due: Due) -> ReceiverAnswer:
        answer, attempt = await self._tried(webhook, line, due.notice, due.attempts + 1)
        line.note(attempt)
        return answer

    async def _tried(
        self, webhook: Webhook, line: ReceiverLine, notice: Notice, number: int
    ) -> tuple[ReceiverAnswer, Attempt]:
        began, at = time.monotonic(), int(self._clock())
        answer = await line.post.send(webhook.secrets, notice.event_id, self._render(notice))
        lasted_s, error = time.monotonic() - began, words_of(answer)
        return answer, Attempt(at, notice.event_id, notice.kind, number, answer.status, error, lasted_s)

    async def test(self, webhook: Webhook) -> Attempt:
        """Sends a signed message that is no event, once, and says how that ended; a failure counts for nothing."""
        with self._tests.held(webhook.tenant):
            line = await self._line(webhook)
            made = Notice(0, f"evt_{uuid.uuid4().hex}", webhook.tenant, TEST, webhook.webhook_id, 0,
                          int(self._clock()), {"webhook_id": webhook.webhook_id})  # fmt: skip
            _, attempt = await self._tried(webhook, line, made, 1)
            line.attempts.append(attempt)
            return attempt

    def line(self, webhook_id: str) -> ReceiverLine | None:
        """What is known of a receiver since the service started; None where nothing was sent to it."""
        return self._lines.get(webhook_id)

    async def _book(self, line: ReceiverLine, answers: Sequence[tuple[Due, ReceiverAnswer]]) -> str:
        """Writes how tries ended; the reason to disable the webhook, or an empty one."""
        now, done, later, disabled = self._clock(), list[Due](), list[Due](), ""
        for due, answer in answers:
            if answer.is_taken:
                self.counts["sent"] += 1
                line.failures = 0
                done.append(due)
                continue
            self.counts["failed"] += 1
            line.failures += 1
            if answer.status == 410 or line.failures >= MOST_FAILURES:
                disabled = "gone" if answer.status == 410 else "failing"
            if due.attempts + 1 >= MOST_TRIES:
                self.counts["given_up"] += 1
                done.append(due)
            else:
                wait_s = max(retry_wait_s(due.attempts, self._jitter()), min(answer.retry_after_s, LONGEST_WAIT_S))
                later.append(due._replace(attempts=due.attempts + 1, due_at=int(now + wait_s)))
        asked_s = max((answer.retry_after_s for _, answer in answers if not answer.is_taken), default=0)
        line.rest(now, asked_s, self._jitter())
        if disabled:
            self.counts["disabled"] += 1
        await asyncio.wrap_future(self._outbox.settle(done, later))
        return disabled


def retry_wait_s(attempts: int, jitter: float) -> int:
    """Seconds to the next try after `attempts` earlier ones; `jitter` in [0, 1) spreads them by a fifth each way."""
    usual_s = _WAITS_S[attempts] if attempts < len(_WAITS_S) else LONGEST_WAIT_S
    return max(1, round(usual_s * (0.8 + 0.4 * jitter)))


def rotated(webhook: Webhook, secret: str | None = None) -> Webhook:
    """A copy that signs with a new secret first and the last one after it; any older one goes."""
    return replace(webhook, secrets=(secret or new_secret(), *webhook.secrets[:1]))


def enabled(webhook: Webhook) -> Webhook:
    """A copy that is tried again."""
    return replace(webhook, enabled=True, failures=0, disabled_reason="")


def _failed(webhook: Webhook, failures: int, disabled: str) -> Webhook:
    if disabled:
        return replace(webhook, failures=failures, enabled=False, disabled_reason=disabled)
    return replace(webhook, failures=failures)


async def _woken(wake: asyncio.Event, most_s: float) -> None:
    try:
        async with asyncio.timeout(most_s):
            await wake.wait()
    except TimeoutError:
        pass
