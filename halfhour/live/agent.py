"""The agent of a host: one process for each market that it should serve, and a front that sends requests to them.

It holds no market itself.  Where it dies its processes go on, and another host asks for what it should have had; each
process keeps or loses its market by its own tenure.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from api.ledger.opening import registry_of
from api.ledger.placing import HostSeen, MarketSeen, follower_of, moves
from api.ledger.protocol import LedgerFailed
from halfhour.live.front import Target
from halfhour.live.host_figures import figures

log = logging.getLogger(__name__)

BEAT_S = 0.5
FAILED_WAIT_S = 5.0
"""A market whose process ended badly is begun again after this."""
NEVER_AGAIN = 72
"""The database has lost acknowledged writes: a person must look before anything goes on."""


class Duty(NamedTuple):
    """What a host is for."""

    ledger: str
    name: str
    serves: str
    address: str
    """Where its front listens, for others."""
    configs: Path | None
    """A file for all markets, or a folder with MARKET.toml for each."""
    lease_s: float
    senders: int = 1
    """Processes that send to webhooks; with none the markets' own do."""
    follows: bool = False
    """Whether it follows markets of other hosts, to take them over without a fold."""
    is_development: bool = False
    """Webhooks may call this machine by plain http."""


@dataclass(slots=True)
class Child:
    """The process of one market."""

    process: asyncio.subprocess.Process
    reading: asyncio.Task[None]
    address: str = ""
    """Where it serves; empty while it waits or starts."""
    keys: dict[str, str] = field(default_factory=dict)


class Agent:
    """Keeps a host's processes as the registry wants them; `run` until it is cancelled, then `close`."""

    def __init__(self, duty: Duty) -> None:
        self.duty = duty
        self.children: dict[str, Child] = {}
        self.hosts: list[HostSeen] = []
        self.markets: list[MarketSeen] = []
        self.registry = registry_of(duty.ledger)
        self._senders: list[asyncio.subprocess.Process] = []
        self._not_before: dict[str, float] = {}
        self._closing = False
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """Somebody was sent to a market that is not where it was: look again at once."""
        self._hurry.set()

    def where(self, market: str) -> Target | None:
        """Where a market is served now: here, or at the front of the host that has it; None while nobody does."""
        seen = next((seen for seen in self.markets if seen.name == market and seen.holder), None)
        if seen is None:
            return None
        if seen.holder == self.duty.name:
            child = self.children.get(market)
            address = child.address if child is not None and child.address else seen.address
            return Target(address, is_here=True) if address else None
        host = next((host for host in self.hosts if host.name == seen.holder), None)
        return Target(host.address, is_here=False) if host is not None else None

    def figures(self) -> bytes:
        """What this host says of itself, in Prometheus' text format."""
        return figures(self.duty.name, self.hosts, self.markets)

    async def run(self) -> None:
        """Beats, reads what all hosts say, and starts and reaps processes."""
        while True:
            try:
                await self._beat()
            except LedgerFailed as problem:
                log.warning("the registry is away, what runs goes on: %s", problem.message)
            self._hurry.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._hurry.wait()

    async def close(self) -> None:
        """Ends every process in order, so that others may take its market at once."""
        self._closing = True
        with contextlib.suppress(LedgerFailed):
            await asyncio.to_thread(self.registry.leave, self.duty.name)
        processes = [*(child.process for child in self.children.values()), *self._senders]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        await asyncio.gather(*(process.wait() for process in processes))
        for child in self.children.values():
            child.reading.cancel()
        self.registry.close()

    async def _beat(self) -> None:
        duty = self.duty
        await asyncio.to_thread(
            self.registry.beat, duty.name, duty.address, duty.serves, len(self.children), os.getloadavg()[0]
        )
        self.hosts = await asyncio.to_thread(self.registry.hosts)
        self.markets = await asyncio.to_thread(self.registry.markets)
        known = {market.name for market in self.markets}
        for name in duty.serves.split(","):
            if name != "*" and name not in known:
                await asyncio.to_thread(self.registry.make, name)
        for move in moves(duty.name, self.hosts, self.markets):
            if await asyncio.to_thread(self.registry.assign, move.market, move.host, move.before):
                log.info("%s should have %s", move.host, move.market)
        self._reap()
        await self._keep_senders()
        self._end_idle()
        for market in self.markets:
            if self._should_begin(market):
                self.children[market.name] = await self._begun(market.name)

    def _reap(self) -> None:
        for name, child in list(self.children.items()):
            if child.process.returncode is None:
                continue
            del self.children[name]
            log.info("the process of %s ended with %s", name, child.process.returncode)
            if child.process.returncode == NEVER_AGAIN:
                self._not_before[name] = float("inf")
            elif child.process.returncode:
                self._not_before[name] = time.monotonic() + FAILED_WAIT_S

    def _end_idle(self) -> None:
        """Ends processes of markets that this host should neither have nor follow any more."""
        for market in self.markets:
            child = self.children.get(market.name)
            if child is not None and not self._is_ours(market) and market.holder != self.duty.name:
                with contextlib.suppress(ProcessLookupError):
                    child.process.send_signal(signal.SIGTERM)

    def _is_ours(self, market: MarketSeen) -> bool:
        """True for a market that this host should have, or follow."""
        me = self.duty.name
        return market.wanted == me or (self.duty.follows and follower_of(market, self.hosts) == me)

    async def _keep_senders(self) -> None:
        """As many senders as there should be; one that ended is replaced, and what it had claimed runs out."""
        self._senders = [process for process in self._senders if process.returncode is None]
        while len(self._senders) < self.duty.senders and not self._closing:
            words = ["send", "--ledger", self.duty.ledger, *(["--development"] if self.duty.is_development else [])]
            none = asyncio.subprocess.DEVNULL
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "halfhour", *words, stdin=none, stdout=none
            )
            self._senders.append(process)

    def _should_begin(self, market: MarketSeen) -> bool:
        return (
            not self._closing
            and market.state == "open"
            and self._is_ours(market)
            and market.name not in self.children
            and market.holder != self.duty.name  # a process of an agent before us
            and time.monotonic() >= self._not_before.get(market.name, 0.0)
        )

    async def _begun(self, market: str) -> Child:
        duty = self.duty
        words = ["serve", "--ledger", duty.ledger, "--market", market, "--node", duty.name, "--port", "0", "--json"]
        words += ["--lease-s", str(duty.lease_s), *(["--no-send"] if duty.senders else [])]
        words += ["--development"] if duty.is_development else []
        config = duty.configs / f"{market}.toml" if duty.configs is not None and duty.configs.is_dir() else duty.configs
        if config is not None:
            words += ["--config", str(config)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "halfhour", *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        child = Child(process, asyncio.create_task(asyncio.sleep(0)))
        child.reading = asyncio.create_task(self._heard(market, child))
        return child

    async def _heard(self, market: str, child: Child) -> None:
        """Keeps where a process serves, once it says so."""
        assert child.process.stdout is not None
        line = await child.process.stdout.readline()
        if line:
            said: dict[str, Any] = json.loads(line)
            child.address, child.keys = str(said["url"]), dict(said["keys"])
            with contextlib.suppress(LedgerFailed):
                await asyncio.to_thread(self.registry.serving, market, self.duty.name, child.address)
        await child.process.wait()
