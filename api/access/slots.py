"""Slots: how many may wait for one thing at once, and how much of that is one holder's."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from api.common.errors import Overloaded


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
