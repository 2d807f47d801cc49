"""Who should serve which market: the same answer on every host, from what the registry says of all.

Nobody rules.  Each host reads the hosts and markets, works out the same moves, and writes them where nothing has
changed meanwhile; what decides who *may* write a market is its tenure alone, never this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

GONE_S = 2.5
"""A host that has not been heard of for so long gets nothing, and loses what it should have had."""
ANY = "*"


class HostSeen(NamedTuple):
    """A host as the registry last heard of it; `serves`: names of markets with commas between, or *."""

    name: str
    address: str
    serves: str
    markets: int
    load: float
    is_draining: bool
    silent_s: float

    def may(self, market: str) -> bool:
        """True where it may be given a market now."""
        names = self.serves.split(",")
        return not self.is_draining and self.silent_s < GONE_S and (ANY in names or market in names)


class MarketSeen(NamedTuple):
    """A market: who has it (`owner` is a host's name, a colon and a word for its process), and who should."""

    name: str
    owner: str
    is_held: bool
    wanted: str
    is_pinned: bool
    """Moved by a person: it stays where it is while that host lives."""
    state: str
    address: str
    epoch: int
    head: int
    since: int
    lease_left_s: float
    follower: str = ""
    """A host that has folded it along; empty where none says so."""

    @property
    def holder(self) -> str:
        """The name of the host that has it; empty where nobody does."""
        return self.owner.rpartition(":")[0] if self.is_held else ""


class MarketMove(NamedTuple):
    """A market that another host should have; `before`: who should have had it so far."""

    market: str
    host: str
    before: str


def moves(me: str, hosts: Iterable[HostSeen], markets: Sequence[MarketSeen]) -> list[MarketMove]:
    """What `me` should write now: homes for markets that have none, and one market given away where it has too many.

    A market without a living host goes to the one that follows it, or has the fewest; where two differ by two or more
    the one that has more gives one away, a market at a time, and never one that is pinned or on its way.
    """
    living = {host.name: host for host in sorted(hosts)}
    wanted = {market.name: market.wanted for market in markets}
    count = {name: sum(1 for host in wanted.values() if host == name) for name in living}
    found = []
    for market in sorted(markets):
        if market.state != "open":
            continue
        has = living.get(market.wanted)
        if has is not None and has.may(market.name):
            continue
        able = [host for host in living.values() if host.may(market.name)]
        holder = living.get(market.holder)
        if not able or (not market.wanted and market.holder and holder is None):
            continue  # served by a process that no agent looks after: it is left alone
        stays = holder is not None and holder.may(market.name) and not market.wanted
        to = market.holder if stays else min(able, key=lambda host: _rank(host, market, count)).name
        found.append(MarketMove(market.name, to, market.wanted))
        count[to] += 1
    return found or _given(me, living, markets, count)


def _rank(host: HostSeen, market: MarketSeen, count: dict[str, int]) -> tuple[bool, int, str]:
    """Who is given a market first: who has folded it along, then who has the fewest."""
    return host.name != market.follower, count[host.name], host.name


def follower_of(market: MarketSeen, hosts: Iterable[HostSeen]) -> str:
    """The host that should follow a market: the same one on every host, another one than should have it; or nobody.

    By a digest of both names, so that a host that comes or goes changes little.
    """
    able = [host.name for host in hosts if host.may(market.name) and host.name not in (market.wanted, market.holder)]
    return min(able, key=lambda name: sha256(f"{market.name} {name}".encode()).digest(), default="")


def _given(
    me: str, living: dict[str, HostSeen], markets: Sequence[MarketSeen], count: dict[str, int]
) -> list[MarketMove]:
    open_ones = [market for market in markets if market.state == "open" and market.wanted]
    if me not in living or any(market.holder != market.wanted for market in open_ones):
        return []  # one thing after another
    for market in sorted(open_ones):
        if market.wanted != me or market.is_pinned:
            continue
        able = [host for host in living.values() if host.may(market.name) and host.name != me]
        least = min(able, key=lambda host: (count[host.name], host.name), default=None)
        if least is not None and count[me] - count[least.name] >= 2:
            return [MarketMove(market.name, least.name, me)]
    return []
