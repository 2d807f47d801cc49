"""Hosts with real services: how long a phone hears nothing when one dies, and when a market moves as planned."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from api.access.keys import KeyBook
from api.common.api_keys import Scope
from benchmarks.live.ports import free_port
from tests.kit.service.postgres import Server, fresh

LONGEST_S = 300.0
SECRET = {"HALFHOUR_SECRET": "5e" * 32}
ASK_EVERY_S = 0.02


class _Host:
    def __init__(self, url: str, name: str, serves: str) -> None:
        port = free_port()
        self.name, self.front = name, f"http://127.0.0.1:{port}"
        words = ["host", "--ledger", url, "--serve", serves, "--node", name, "--port", str(port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "halfhour", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | SECRET, start_new_session=True,
        )  # fmt: skip

    def dies(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class _Deployment:
    def __init__(self, made: Server, hosts: int, markets: int) -> None:
        from api.ledger.postgres.registry import Registry
        from api.ledger.postgres.store import PostgresLedger

        self.url = fresh(made, "unused").partition("#")[0]
        self.names = [f"m{k:02d}" for k in range(markets)]
        self.registry = Registry(self.url)
        shelf: Any = PostgresLedger(f"{self.url}#keys")
        self.text = KeyBook(os.urandom(32), shelf).make("demo", [Scope.ORDERS], int(time.time()))[0]
        shelf.close()
        self.hosts = [_Host(self.url, name, ",".join(self.names)) for name in "abc"[:hosts]]
        share = markets // hosts
        _until(lambda: all(list(self.holders().values()).count(host.name) >= share for host in self.hosts))
        _until(lambda: all(self.hears(self.hosts[0], name) for name in self.names))

    def holders(self) -> dict[str, str]:
        return {seen.name: seen.holder for seen in self.registry.markets() if seen.name in self.names and seen.address}

    def hears(self, host: _Host, market: str) -> bool:
        headers = {"Authorization": f"Bearer {self.text}", "X-Market": market}
        try:
            return httpx.get(f"{host.front}/v1/stores", headers=headers, timeout=30).status_code == 200
        except httpx.TransportError:
            return False

    def end(self) -> None:
        self.registry.close()
        for host in self.hosts:
            host.dies()


def _until(seen: Callable[[], Any]) -> None:
    end = time.monotonic() + LONGEST_S
    while not seen():
        if time.monotonic() > end:
            raise AssertionError("it was waited for too long")
        time.sleep(0.05)


class _Silence(threading.Thread):
    """Asks one market through one front again and again; the longest time between two answers."""

    def __init__(self, deployment: _Deployment, host: _Host, market: str) -> None:
        super().__init__(daemon=True)
        self._deployment, self._host, self._market = deployment, host, market
        self.longest_s, self._ends = 0.0, threading.Event()

    def run(self) -> None:
        heard = time.monotonic()
        while not self._ends.is_set():
            if self._deployment.hears(self._host, self._market):
                self.longest_s = max(self.longest_s, time.monotonic() - heard)
                heard = time.monotonic()
            time.sleep(ASK_EVERY_S)

    def end(self) -> float:
        self._ends.set()
        self.join()
        return self.longest_s


def move(made: Server, repeats: int) -> dict[str, Any]:
    """A planned move: the longest silence that somebody hears who asks through a front all the while."""
    deployment = _Deployment(made, 2, 2)
    try:
        return _said([_moved(deployment, deployment.names[0]) for _ in range(repeats)])
    finally:
        deployment.end()


def _moved(deployment: _Deployment, market: str) -> float:
    had = deployment.holders()[market]
    to = next(host for host in deployment.hosts if host.name != had)
    asking = _Silence(deployment, to, market)
    asking.start()
    words = ["market", "move", market, "--to", to.name, "--ledger", deployment.url, "--wait-s", str(LONGEST_S)]
    subprocess.run([sys.executable, "-m", "halfhour", *words], stdout=subprocess.DEVNULL, check=True)
    _until(lambda: deployment.hears(to, market))
    return asking.end()


def takeover(made: Server, repeats: int) -> dict[str, Any]:
    """A market's host dies: the longest silence at the other host's front, ttl 2 s."""
    return _said([_taken_over(made) for _ in range(repeats)]) | {"ttl_s": 2.0}


def _taken_over(made: Server) -> float:
    deployment = _Deployment(made, 2, 2)
    try:
        market = deployment.names[0]
        dying = next(host for host in deployment.hosts if host.name == deployment.holders()[market])
        other = next(host for host in deployment.hosts if host is not dying)
        asking = _Silence(deployment, other, market)
        asking.start()
        time.sleep(1.0)
        dying.dies()
        _until(lambda: deployment.holders().get(market) == other.name and deployment.hears(other, market))
        return asking.end()
    finally:
        deployment.end()


def _said(silences: list[float]) -> dict[str, Any]:
    longest, usual = max(silences), statistics.median(silences)
    return {"silence_p50_s": round(usual, 2), "silence_max_s": round(longest, 2), "times": len(silences)}


def one_of_three(made: Server, markets: int) -> dict[str, Any]:
    """Three hosts, one is killed: until every market answers again."""
    deployment = _Deployment(made, 3, markets)
    try:
        dying, other = deployment.hosts[2], deployment.hosts[0]
        began = time.monotonic()
        dying.dies()
        living = {host.name for host in deployment.hosts[:2]}
        _until(lambda: set(deployment.holders().values()) <= living and len(deployment.holders()) == markets)
        _until(lambda: all(deployment.hears(other, name) for name in deployment.names))
        return {"markets": markets, "all_served_again_s": round(time.monotonic() - began, 2)}
    finally:
        deployment.end()
