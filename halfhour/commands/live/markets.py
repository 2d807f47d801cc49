"""`halfhour markets`: who has which market, and who should."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from halfhour.commands.live.market import Url
from halfhour.terminal import console, print_json

EXAMPLE = "halfhour markets --ledger postgresql://halfhour@db1/halfhour"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def markets(
    ledger: Url,
    as_data: AsJson = False,
    as_map: Annotated[bool, typer.Option("--map", help="Print `MARKET HOST` lines, as HAProxy reads them.")] = False,
) -> None:
    """Say of every market who has it since when, who should, and how far its journal is."""
    from api.ledger.opening import registry_of

    registry = registry_of(ledger)
    seen, hosts = registry.markets(), registry.hosts()
    registry.close()
    if as_map:
        sys.stdout.writelines(f"{market.name} {market.holder}\n" for market in seen if market.holder)
        return
    if as_data:
        said = [market._asdict() | {"holder": market.holder} for market in seen]
        print_json({"markets": said, "hosts": [host._asdict() for host in hosts]})
        return
    _print(seen, hosts)


def _print(seen: list[Any], hosts: list[Any]) -> None:
    from rich.table import Table

    table = Table(
        "market", "host", "since (UTC)", "state", "entries", "epoch", "lease", "followed by", box=None, padding=(0, 2)
    )
    for market in seen:
        since = time.strftime("%m-%d %H:%M:%S", time.gmtime(market.since)) if market.since else ""
        state = "pinned" if market.is_pinned else market.state
        if market.wanted not in ("", market.holder):
            state = f"to {market.wanted}"
        lease = f"{market.lease_left_s:.1f} s" if market.is_held else ""
        table.add_row(
            market.name,
            market.holder or "nobody",
            since,
            state,
            f"{market.head:,}",
            str(market.epoch),
            lease,
            market.follower,
        )
    console().print(table)
    for host in hosts:
        said = " draining" if host.is_draining else ""
        console().print(
            f"host {host.name} at {host.address}: {host.markets} markets, load {host.load:.1f}, heard of "
            f"{host.silent_s:.1f} s ago{said}",
            markup=False, highlight=False,
        )  # fmt: skip
