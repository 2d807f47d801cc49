"""Which revision of their route each phone was sent last: what it shows, until it says so itself."""

from __future__ import annotations

from collections import deque

MOST_SENT = 8
"""Revisions remembered for each rider: enough for a report that waited for a line."""


class Phones:
    """Routes sent to phones, in memory: after a restart a phone's own word counts alone."""

    def __init__(self) -> None:
        self._sent: dict[str, deque[tuple[int, int]]] = {}

    def sent(self, rider_id: str, revision: int, at: int) -> None:
        """A phone gets its route."""
        known = self._sent.setdefault(rider_id, deque(maxlen=MOST_SENT))
        if not known or known[-1][1] != revision:
            known.append((at, revision))

    def showed(self, rider_id: str, at: int) -> int | None:
        """The revision that a phone had been sent by `at`; None where that is not known."""
        return next((revision for sent_at, revision in reversed(self._sent.get(rider_id, ())) if sent_at <= at), None)
