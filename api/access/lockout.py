"""Wrong keys are counted by address: who fails too often waits."""

from __future__ import annotations

from collections import OrderedDict

from api.common.errors import LockedOut

__all__ = ["Lockout"]


class Lockout:
    """Failures per address in fixed windows; remembers the 10,000 addresses that failed last."""

    def __init__(self, most: int, window_s: int, remembered: int = 10_000) -> None:
        self._most, self._window_s, self._remembered = most, window_s, remembered
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def failed(self, address: str, now: int) -> None:
        """Counts one failure; raises LockedOut beyond the most that a window allows."""
        began_at, count = self._failures.pop(address, (now, 0))
        if now >= began_at + self._window_s:
            began_at, count = now, 0
        self._failures[address] = (began_at, count + 1)
        if len(self._failures) > self._remembered:
            self._failures.popitem(last=False)
        if count >= self._most:
            wait_s = began_at + self._window_s - now
            raise LockedOut("too many failed keys from this address", retry_after_s=max(1, wait_s))
