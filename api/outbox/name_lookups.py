"""Names looked up for webhooks: off the loop, with a time limit, a share for each tenant, and a short memory.

The system's resolver blocks for as long as a name server keeps silent.  So each look-up has a thread of its own that
nobody waits for beyond the limit, and whose slot comes back only when it ends: a tenant whose names are silent waits
for itself.
"""

from __future__ import annotations

import asyncio
import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import NamedTuple

from api.access.slots import Slots
from api.outbox.webhook_addresses import Resolver, addresses_of

__all__ = ["Lookups", "NameUnknown"]

Find = Callable[[str, int], list[str]]
"""Looks up a host and port, and may block; raises OSError or UnicodeError."""


class NameUnknown(OSError):
    """A name that has no address, or whose name server did not answer in time, a moment ago."""


class _Known(NamedTuple):
    addresses: list[str]
    """Empty: it was not found."""
    until: float


class Lookups:
    """Looks up names for many tenants; knows what it found for `keep_s`, and what it did not find for `rest_s`."""

    def __init__(
        self,
        find: Find = addresses_of,
        *,
        clock: Callable[[], float] = time.monotonic,
        most: int = 64,
        most_each: int = 4,
        patience_s: float = 3.0,
        keep_s: float = 60.0,
        rest_s: float = 15.0,
        remembered: int = 10_000,
    ) -> None:
        self._find, self._clock = find, clock
        self._slots = Slots(most, most_each, clock=clock)
        self._patience_s, self._keep_s, self._rest_s = patience_s, keep_s, rest_s
        self._remembered = remembered
        self._known: OrderedDict[tuple[str, int], _Known] = OrderedDict()
        self._under_way: dict[tuple[str, int], asyncio.Task[list[str]]] = {}
        self._freed = asyncio.Event()

    def of(self, tenant: str) -> Resolver:
        """A resolver that takes slots of this tenant."""

        async def resolve(host: str, port: int) -> list[str]:
            return await self.find(tenant, host, port)

        return resolve

    async def find(self, tenant: str, host: str, port: int) -> list[str]:
        """Every address of a host; raises NameUnknown, or TimeoutError where there is no answer in time."""
        with suppress(ValueError):
            return [str(ipaddress.ip_address(host))]
        known = self._known.get((host, port))
        if known is None or known.until <= self._clock():
            try:
                async with asyncio.timeout(self._patience_s):
                    return await self._asked(tenant, host, port)
            except TimeoutError:
                if (host, port) in self._under_way:  # otherwise it never came to be asked
                    self._remember((host, port), [], self._rest_s)
                raise
        if not known.addresses:
            raise NameUnknown(f"nothing was found lately for {host}")
        return known.addresses

    async def _asked(self, tenant: str, host: str, port: int) -> list[str]:
        """What a thread finds, or finds already for somebody else."""
        name = host, port
        while name not in self._under_way and self._slots.is_full(tenant):
            await self._freed.wait()
        task = self._under_way.get(name)
        if task is None:
            slot = ExitStack()
            slot.enter_context(self._slots.held(tenant))
            task = self._under_way[name] = asyncio.create_task(self._look(slot, host, port))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def _look(self, slot: ExitStack, host: str, port: int) -> list[str]:
        name = host, port
        try:
            with slot:
                found = await _in_thread(lambda: self._find(host, port))
            self._remember(name, found, self._keep_s)
            return found
        except (OSError, UnicodeError) as problem:
            self._remember(name, [], self._rest_s)
            raise NameUnknown(str(problem)) from problem
        finally:
            del self._under_way[name]
            freed, self._freed = self._freed, asyncio.Event()
            freed.set()

    def _remember(self, name: tuple[str, int], addresses: list[str], for_s: float) -> None:
        self._known.pop(name, None)
        self._known[name] = _Known(addresses, self._clock() + for_s)
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)


async def _in_thread(work: Callable[[], list[str]]) -> list[str]:
    """What `work` returns, from a thread that keeps nobody from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str], problem: Exception | None) -> None:
        if done.cancelled():
            return
        if problem is None:
            done.set_result(found)
        else:
            done.set_exception(problem)

    def run() -> None:
        found, problem = list[str](), None
        try:
            found = work()
        except Exception as raised:
            problem = raised
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, found, problem)

    threading.Thread(target=run, name="look-up", daemon=True).start()
    return await done
