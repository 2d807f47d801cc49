"""`halfhour market`: who should have a market."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from halfhour.terminal import console
from routing.errors import InvalidInput

Url = Annotated[str, typer.Option("--ledger", help="The deployment's database, postgresql://user@host/database.")]

EXAMPLE = "halfhour market move munich --to host-b --ledger postgresql://halfhour@db1/halfhour"

app = typer.Typer(no_args_is_help=True, help="Move markets between hosts, drain a host, close and open a market.")


@app.command(epilog="Example:  halfhour market move munich --to host-b --ledger postgresql://halfhour@db1/halfhour")
def move(
    name: Annotated[str, typer.Argument(help="The market.")],
    to: Annotated[str, typer.Option(help="The host that should have it, and keep it.")],
    ledger: Url,
    wait_s: Annotated[float, typer.Option(min=0, help="Wait so long until it has it.")] = 60.0,
) -> None:
    """Let another host take a market: it gets ready first, then the one that has it gives it back."""
    from api.ledger.opening import registry_of
    from api.ledger.protocol import LedgerFailed

    registry = registry_of(ledger)
    try:
        seen = _known(registry, name)
        target = next((host for host in registry.hosts() if host.name == to), None)
        if target is None or not target.may(name):
            raise InvalidInput(f"host {to} cannot be given {name} now", field="to", hint="See halfhour markets.")
        if not registry.assign(name, to, seen.wanted, pinned=True):
            raise LedgerFailed("somebody else has just moved it", code="market_moving", hint="Ask again.")
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            if _known(registry, name).holder == to:
                console().print(f"{to} has {name}", markup=False)
                return
            time.sleep(0.1)
    finally:
        registry.close()
    raise LedgerFailed(
        f"{to} does not have {name} yet", code="market_moving", hint="It goes on; see halfhour markets, and its log."
    )


@app.command(epilog="Example:  halfhour market drain host-a --ledger postgresql://halfhour@db1/halfhour")
def drain(
    host: Annotated[str, typer.Argument(help="The host.")],
    ledger: Url,
    back: Annotated[bool, typer.Option("--back", help="Let it have markets again.")] = False,
) -> None:
    """Let a host give away all it has, one planned move each, and get nothing more: before it is upgraded or ends."""
    from api.ledger.opening import registry_of

    registry = registry_of(ledger)
    known = registry.drain(host, draining=not back)
    registry.close()
    if not known:
        raise InvalidInput(f"there is no host {host}", field="host", code="unknown_host", hint="See halfhour markets.")
    console().print(f"{host} {'may have markets again' if back else 'gives its markets away'}", markup=False)


@app.command("close", epilog="Example:  halfhour market close munich --ledger postgresql://halfhour@db1/halfhour")
def close_(name: Annotated[str, typer.Argument(help="The market.")], ledger: Url) -> None:
    """Let nobody serve a market: whoever has it gives it back."""
    _set(ledger, name, "closed")


@app.command("open", epilog="Example:  halfhour market open munich --ledger postgresql://halfhour@db1/halfhour")
def open_(name: Annotated[str, typer.Argument(help="The market.")], ledger: Url) -> None:
    """Let a market be served again."""
    _set(ledger, name, "open")


def _set(ledger: str, name: str, state: str) -> None:
    from api.ledger.opening import registry_of

    registry = registry_of(ledger)
    try:
        _known(registry, name)
        registry.set_state(name, state)
    finally:
        registry.close()
    console().print(f"{name} is {state}", markup=False)


def _known(registry: Any, name: str) -> Any:
    found = next((market for market in registry.markets() if market.name == name), None)
    if found is None:
        raise InvalidInput(f"there is no market {name}", field="market", code="unknown_market")
    return found
