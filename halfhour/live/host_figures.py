"""What a host says of itself to Prometheus, and so to whatever adds and takes away hosts."""

from __future__ import annotations

import os
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from api.ledger.placing import GONE_S, HostSeen, MarketSeen


def figures(name: str, hosts: Sequence[HostSeen], markets: Sequence[MarketSeen]) -> bytes:
    """Load, cores and markets of one host, and how many hosts live and markets wait, in Prometheus' text format."""
    registry = CollectorRegistry()

    def say(what: str, help_: str, value: float) -> None:
        Gauge(f"halfhour_{what}", help_, ["host"], registry=registry).labels(name).set(value)

    cores = os.cpu_count() or 1
    open_ones = [market for market in markets if market.state == "open"]
    say("host_cores", "Cores of this host's machine.", cores)
    say("host_load_per_core", "Processes that run or wait to, of the last minute, a core.", os.getloadavg()[0] / cores)
    say("host_markets", "Markets that this host has.", sum(market.holder == name for market in open_ones))
    say("hosts_living", "Hosts that have been heard of, as this one sees it.", sum(h.silent_s < GONE_S for h in hosts))
    say("markets_open", "Markets that should be served.", len(open_ones))
    say("markets_unserved", "Open markets that nobody has now.", sum(not market.holder for market in open_ones))
    return generate_latest(registry)
