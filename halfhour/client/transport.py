"""One connection to a service: idempotency keys, patience, cursors, streams."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx

from halfhour.client.errors import ApiError, Busy, CursorGone, Unreachable, error_of
from halfhour.client.parts import Kitchen, Ops, Orders, Riders
from halfhour.client.words import Event
from routing.errors import HalfhourError

__all__ = ["Client"]


class Client:
    """One key's view of a service; its parts are `orders`, `kitchen`, `riders` and `ops`."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        tries: int = 5,
        timeout_s: float = 10.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=timeout_s, transport=transport
        )
        self._tries, self._sleep = tries, sleep
        self.orders = Orders(self.request)
        self.kitchen = Kitchen(self.request)
        self.riders = Riders(self.request)
        self.ops = Ops(self.request)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        key: str | None = None,
        if_match: str | None = None,
    ) -> Any:
        """The JSON answer to any request; raises an ApiError or Unreachable.

        `key`: of idempotency; made for every POST and PATCH that names none.
        """
        headers = {}
        if method in ("POST", "PATCH"):
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        if if_match is not None:
            headers["If-Match"] = if_match
        content = None
        if body is not None:
            content = json.dumps(_wired(body), allow_nan=False).encode()
            headers["Content-Type"] = "application/json"
        params = {name: value for name, value in (query or {}).items() if value is not None}
        return self._answer(self._http.build_request(method, path, content=content, params=params, headers=headers))

    def _answer(self, request: httpx.Request) -> Any:
        """Tries until there is an answer that more patience would not better."""
        problem: HalfhourError = Unreachable("never tried")
        for attempt in range(self._tries):
            if attempt:
                asked_s = problem.retry_after_s if isinstance(problem, ApiError) else 0.0
                self._sleep(max(asked_s, 0.2 * 2**attempt) * (1 + random.random() / 4))
            try:
                answer = self._http.send(request)
            except httpx.TransportError as error:
                problem = Unreachable(f"no answer from {request.url.host}: {type(error).__name__}")
                continue
            if answer.is_success:
                try:
                    return answer.json() if answer.content else None
                except ValueError:  # a page of somebody in between: whether it happened, nobody knows
                    problem = _foreign(answer)
                    continue
            problem = error_of(answer)
            if not isinstance(problem, Busy):
                break
        raise problem

    def events(
        self,
        after: str = "0",
        *,
        follow: bool = True,
        poll_s: float = 1.0,
        limit: int = 200,
        resync: Callable[[], object] | None = None,
    ) -> Iterator[Event]:
        """Events behind a cursor, in order; for ever, or up to now with `follow=False`.  Keep `event["cursor"]`.

        `resync()` is called where events behind the cursor cannot be told any more (the service was put back from a
        copy, or the cursor is too old): read there what is open, and events go on from just before.  Without it
        CursorGone is raised.
        """
        while True:
            try:
                page = self.request("GET", "/v1/events", query={"after": after, "limit": limit})
            except CursorGone as gone:
                after = _resynced(gone, resync)
                continue
            yield from page["events"]
            if not page["events"]:
                if not follow:
                    return
                self._sleep(poll_s)
            after = page["next"]

    def stream(self, after: str | None = None, *, resync: Callable[[], object] | None = None) -> Iterator[Event]:
        """Events as they happen, from a cursor on; comes back by itself where the line breaks.

        `resync` as in `events`.
        """
        failures = 0
        while failures < self._tries:
            try:
                for event in self._stream_once(after):
                    after, failures = event["cursor"], 0
                    yield event
            except httpx.TransportError:
                pass
            except CursorGone as gone:
                after = _resynced(gone, resync)
                continue
            except Busy:
                if failures + 1 >= self._tries:
                    raise
            failures += 1
            self._sleep(0.2 * 2**failures * (1 + random.random() / 4))
        raise Unreachable("the stream ended and does not come back")

    def _stream_once(self, after: str | None) -> Iterator[Event]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after is not None else {})}
        with self._http.stream("GET", "/v1/stream", headers=headers, timeout=httpx.Timeout(10.0, read=40.0)) as answer:
            if not answer.is_success:
                answer.read()
                raise error_of(answer)
            if "text/event-stream" not in answer.headers.get("content-type", "text/event-stream"):
                raise _foreign(answer)
            numbered, data = False, list[str]()
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "data":
                    data.append(value)
                elif name == "id":
                    numbered = True
                elif not line:
                    if data and numbered:  # frames without an id are passing news, not events
                        yield json.loads("\n".join(data))
                    numbered, data = False, []


def _resynced(gone: CursorGone, resync: Callable[[], object] | None) -> str:
    """Where to go on: behind what had happened before everything was read anew."""
    if resync is None:
        raise gone
    resync()
    return gone.next


def _foreign(answer: httpx.Response) -> Unreachable:
    kind = answer.headers.get("content-type", "nothing that has a type")
    return Unreachable(
        f"what answered at {answer.request.url.host} is no Halfhour service: {answer.status_code} with {kind}",
        hint="Check the address, and what stands in between.",
    )


def _wired(value: Any) -> Any:
    """Instants as RFC 3339; one without a zone is refused, for nobody knows which was meant."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone: datetime.now(UTC)")
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        return {name: _wired(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_wired(part) for part in value]
    return value
