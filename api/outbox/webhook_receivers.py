"""What the sender knows of one receiver: its connection, how tries ended lately, and until when it rests."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple

from api.outbox.webhook_request import Post, ReceiverAnswer

__all__ = ["DOWN_AFTER", "Attempt", "ReceiverLine", "Tries", "words_of"]

DOWN_AFTER = 5
"""After so many failures in a row a receiver is only probed."""
LONGEST_WAIT_S = 7200
_LONGEST_REST_S = 600
_REMEMBERED = 100
_SHARED = 20
"""Tries of which senders on other hosts hear."""


class Attempt(NamedTuple):
    """One try: `number` counts those of one event from 1; `error` is empty where the receiver took it."""

    at: int
    event_id: str
    kind: str
    number: int
    status: int | None
    error: str
    lasted_s: float


@dataclass(slots=True)
class Tries:
    """How tries to send to one receiver have ended lately."""

    failures: int
    """In a row."""
    attempts: deque[Attempt] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    failed: Attempt | None = None
    """The last one that failed."""
    sent_at: int | None = None

    def note(self, attempt: Attempt) -> None:
        """Remembers how a try ended."""
        self.attempts.append(attempt)
        if attempt.error:
            self.failed = attempt
        else:
            self.sent_at = attempt.at

    def shared(self) -> dict[str, Any]:
        """What other senders are told of it."""
        return {"attempts": list(self.attempts)[-_SHARED:], "failed": self.failed, "sent_at": self.sent_at}

    def learn(self, shared: Mapping[str, Any]) -> None:
        """Takes over what the last sender has told of it."""
        failed = shared.get("failed")
        self.attempts.clear()
        self.attempts.extend(Attempt(*one) for one in shared.get("attempts", ()))
        self.failed = None if failed is None else Attempt(*failed)
        self.sent_at = shared.get("sent_at")


@dataclass(slots=True, kw_only=True)
class ReceiverLine(Tries):
    """One receiver, as far as this process has heard of it."""

    post: Post
    rests_until: float = 0.0
    busy: bool = False
    ours_until: float = inf
    """By `ticks`: nobody else sends to it until then."""

    @property
    def is_down(self) -> bool:
        """True where it is only probed."""
        return self.failures >= DOWN_AFTER

    def rest(self, now: float, asked_s: int, jitter: float) -> None:
        """Leaves the receiver alone: as long as it asked for, and the longer the more often it has failed."""
        rest_s = 0.0
        if self.is_down:
            rest_s = min(_LONGEST_REST_S, 5 * 2 ** min(self.failures - DOWN_AFTER, 16)) * (0.8 + 0.4 * jitter)
        rest_s = max(rest_s, min(asked_s, LONGEST_WAIT_S))
        if rest_s:
            self.rests_until = max(self.rests_until, now + rest_s)


_WORDS = {
    "unsafe_target": "the address is not public",
    "timeout": "no answer in time",
    "NameUnknown": "the name of the host has no address",
    "ConnectError": "no connection",
    "ConnectTimeout": "no connection in time",
    "RemoteProtocolError": "the answer is no HTTP",
}


def words_of(answer: ReceiverAnswer) -> str:
    """What a person is told of a try; empty where the receiver took it."""
    if answer.is_taken:
        return ""
    if answer.status is not None:
        return f"answered {answer.status}"
    return _WORDS.get(answer.problem, answer.problem)
