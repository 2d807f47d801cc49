"""`halfhour status`: how a running service is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from halfhour.terminal import console, print_json

EXAMPLE = "halfhour status --key hh_..."


def status(
    url: Annotated[str, typer.Option(help="Address of the service.")] = "http://127.0.0.1:8080",
    key: Annotated[str, typer.Option(envvar="HALFHOUR_KEY", help="Any key of it.")] = "",
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask a running service how it is; exit status 1 where it is not ready."""
    found = _asked(url, key)
    if as_data:
        print_json(found)
    else:
        _print(found)
    if not found["ready"]:
        raise typer.Exit(1)


def _asked(url: str, key: str) -> dict[str, Any]:
    import httpx

    from routing.errors import HalfhourError

    try:
        answer = httpx.get(f"{url}/v1/status", headers={"Authorization": f"Bearer {key}"}, timeout=10)
    except httpx.TransportError as problem:
        raise HalfhourError(
            f"nobody answers at {url}", code="service_unreachable", hint="Is it running? `halfhour serve` starts one."
        ) from problem
    body: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        raise HalfhourError(str(body.get("detail", "it refused")), code=str(body.get("code", "refused")))
    return body


def _print(found: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2))
    fallbacks = ", ".join(f"{count} {why}" for why, count in sorted(found["fallbacks"].items())) or "none"
    rows = [
        ("ready", "yes" if found["ready"] else "no"),
        ("open orders", found["open_orders"]),
        ("riders on duty", found["riders_on_duty"]),
        ("rounds solved", f"{found['rounds_solved']}, the last in {found['last_round_s']:.2f} s"),
        ("answered by the host", fallbacks),
        ("ladder", found["ladder"]),
    ]
    if found["journal_seq"] is not None:
        rows.append(("journal", f"{found['journal_seq']:,} entries"))
    for name, value in rows:
        table.add_row(name, str(value))
    console().print(table)
