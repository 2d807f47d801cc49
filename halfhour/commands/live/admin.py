"""`halfhour admin`: tenants, keys, stores, riders, settings and traffic, by command and by file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from halfhour.commands.live.admin_ledger import ledger as ledger_commands
from halfhour.commands.live.admin_settings import preset, upgrade
from halfhour.live.asking import ask
from halfhour.terminal import console, print_json, text_or_file
from routing.errors import HalfhourError, InvalidInput

EXAMPLE = "halfhour admin key acme --scope orders"

app = typer.Typer(
    no_args_is_help=True, help="Look after a live service: tenants, keys, stores, riders, settings, traffic."
)

Url = Annotated[str, typer.Option(help="Address of the running service.")]
Key = Annotated[str, typer.Option(envvar="HALFHOUR_KEY", help="A key of the running service, scope admin.")]
Data = Annotated[Path | None, typer.Option(help="Folder of the ledger of a stopped service.")]
Address = Annotated[str, typer.Option("--ledger", help="Or its address: postgresql://host/database#market.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LISTS = ("provides", "tenants")
"""Columns that hold several names with spaces between them."""
SCOPES = ("orders", "riders", "kitchens", "ops", "admin")


@app.command(epilog="Example:  halfhour admin tenant acme --name 'Acme Foods'")
def tenant(
    tenant: Annotated[str, typer.Argument(help="A short name: a-z, 0-9, - and _.")],
    name: Annotated[str, typer.Option(help="Its name for people.")] = "",
    url: Url = "",
    key: Key = "",
    data: Data = None,
    address: Address = "",
) -> None:
    """Make an order system known."""
    import re

    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", tenant):
        raise InvalidInput(f"{tenant!r} is no name for a tenant", field="tenant", hint="Use a-z, 0-9, - and _.")
    if url:
        ask(url, key, "PUT", f"/v1/tenants/{tenant}", {"name": name or tenant})
    else:
        _with_ledger(address or data, lambda ledger: _save_tenant(ledger, tenant, name or tenant))
    console().print(f"tenant {tenant} is known")


@app.command(epilog="Example:  halfhour admin key acme --scope orders --scope ops")
def key(
    tenant: Annotated[str, typer.Argument(help="Whose key.")],
    scope: Annotated[list[str], typer.Option(help="orders, riders, ops or admin; may be repeated.")],
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    valid_days: Annotated[int, typer.Option(min=0, help="Days until it ends (0: never).")] = 0,
    url: Url = "",
    key: Key = "",
    data: Data = None,
    address: Address = "",
    as_data: AsJson = False,
) -> None:
    """Make a key; its text is shown once."""
    unknown = [name for name in scope if name not in SCOPES]
    if unknown:
        raise InvalidInput(f"there is no scope {unknown[0]!r}", field="scope", hint=f"Choose of {', '.join(SCOPES)}.")
    valid_s = valid_days * 86_400 or None
    if url:
        body: dict[str, Any] = {"tenant": tenant, "scopes": scope, "valid_s": valid_s, "label": label or None}
        text = ask(url, key, "POST", "/v1/keys", body)["key"]
    else:
        text = _with_ledger(address or data, lambda ledger: _make_key(ledger, tenant, scope, valid_s, label))
    if as_data:
        print_json({"tenant": tenant, "scopes": scope, "key": text})
        return
    console().print(text, markup=False)


@app.command("rotate-secret", epilog="Example:  halfhour admin rotate-secret")
def rotate_secret(
    data: Data = None,
    file: Annotated[Path | None, typer.Option(help="The file, where the configuration names one.")] = None,
    forget: Annotated[bool, typer.Option(help="What the secret before has signed is good no longer, either.")] = False,
) -> None:
    """Make a new secret for tokens and links; the next start signs with it."""
    from api.access.secret import file_of, rotate
    from halfhour.commands.live.serve import usual_folder

    where = file or file_of(str(data if data is not None else usual_folder()), None)
    count = rotate(where, forget=forget)
    console().print(f"{where}: {count} secret{'s' if count > 1 else ''}, the first signs from the next start on")


@app.command(epilog="Example:  halfhour admin store --import stores.csv --url http://127.0.0.1:8080")
def store(
    file: Annotated[
        Path, typer.Option("--import", help="CSV: store_id, lat, lng [, name, address, mean_ready_s, tenants, hours].")
    ],
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Make or change stores of a running service."""
    columns = ("name", "address", "mean_ready_s", "enter_s", "exit_s", "tenants", "hours")
    _import(file, url, key, "stores", "store_id", columns)


@app.command(epilog="Example:  halfhour admin rider --import riders.csv --url http://127.0.0.1:8080")
def rider(
    file: Annotated[
        Path,
        typer.Option(
            "--import", help="CSV: rider_id, lat, lng [, name, phone_number, profile, capacity_units, engagement]."
        ),
    ],
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Make or change riders of a running service."""
    columns = ("name", "phone_number", "profile", "capacity_units", "engagement", "provides")
    _import(file, url, key, "riders", "rider_id", columns)


@app.command(epilog="Example:  halfhour admin setting rules.round_s 5 --url http://127.0.0.1:8080")
def setting(
    name: Annotated[str, typer.Argument(help="As `halfhour config show` names it.")],
    value: Annotated[str, typer.Argument(help="Its new value, or @FILE.")],
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Change a live setting; it goes into the journal."""
    text = text_or_file(value)
    ask(url, key, "PUT", f"/v1/settings/{name}", {"value": text})
    console().print(f"{name} is {text} from now on", markup=False)


@app.command(epilog="Example:  halfhour admin traffic --weather rain --speeds closures.toml")
def traffic(
    speeds: Annotated[
        Path | None, typer.Option(help="TOML with [[speed]] entries, instead of all that were reported before.")
    ] = None,
    weather: Annotated[str | None, typer.Option(help="A weather of the city file; '' for none.")] = None,
    table: Annotated[Path | None, typer.Option(help="TOML with a daily table of speeds by time slot.")] = None,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
    as_data: AsJson = False,
) -> None:
    """Show the traffic that a running service believes in, or change it from now on."""
    body: dict[str, Any] = {}
    if speeds is not None:
        body["speeds"] = _speeds(speeds)
    if weather is not None:
        body["weather"] = weather
    if table is not None:
        from halfhour.live.tables import read_text

        body["table"] = read_text(table)
    found = ask(url, key, "PATCH" if body else "GET", "/v1/traffic", body or None)
    if as_data:
        print_json(found)
        return
    slots = f"{found['table']['slots']} slots a day" if found["table"] else "no table"
    weather_now = found["weather"] or "no weather"
    console().print(
        f"travel times {found['version']}: {len(found['speeds'])} reported speeds, {weather_now}, {slots}", markup=False
    )


app.add_typer(ledger_commands, name="ledger")
app.command(epilog="Example:  halfhour admin preset on_time")(preset)
app.command(epilog="Example:  halfhour admin upgrade --check")(upgrade)


# --- a running service ----------------------------------------------------------------------------------------------


def _import(file: Path, url: str, key: str, what: str, id_column: str, optional: tuple[str, ...]) -> None:
    from halfhour.live.tables import read_table

    count = 0
    for line, row in read_table(file, (id_column, "lat", "lng"), optional):
        body: dict[str, Any] = {"location": {"lat": row.pop("lat"), "lng": row.pop("lng")}}
        name = row.pop(id_column)
        body |= {column: value.split() if column in LISTS else value for column, value in row.items()}
        try:
            ask(url, key, "PUT", f"/v1/{what}/{name}", body)
        except HalfhourError as problem:
            problem.details |= {"file": str(file), "line": line}
            raise
        count += 1
    console().print(f"{count} {what} are known")


def _speeds(file: Path) -> list[dict[str, Any]]:
    """The [[speed]] entries of a file as the service takes them."""
    from dataclasses import asdict

    from routing.roads.traffic.traffic_file import read_speeds

    speeds = [asdict(rule) for rule in read_speeds(file)]
    return [speed | {"zone": [{"lat": lat, "lng": lng} for lat, lng in speed["zone"]]} for speed in speeds]


# --- a stopped service ----------------------------------------------------------------------------------------------


def _with_ledger(where: Path | str | None, work: Callable[[Any], Any]) -> Any:
    from api.application import header_of
    from api.config import Config
    from api.ledger.configuration import require_readable
    from api.ledger.opening import opened
    from dispatch.version import __version__
    from halfhour.commands.live.serve import usual_folder

    address = str(usual_folder() if where is None else where)
    ledger = opened(address, header_of(Config(), __version__), version=__version__)
    try:
        require_readable(ledger.header())
        return work(ledger)
    finally:
        ledger.close()


def _save_tenant(ledger: Any, tenant: str, name: str) -> None:
    import time

    from api.ledger.protocol import Tenant

    ledger.save_tenant(Tenant(tenant, name, int(time.time()))).result()


def _make_key(ledger: Any, tenant: str, scopes: list[str], valid_s: int | None, label: str) -> str:
    import os
    import time

    from api.access.keys import KeyBook
    from api.common.api_keys import Scope

    if tenant not in {known.tenant for known in ledger.tenants()}:
        hint = f"Make it first: halfhour admin tenant {tenant}"
        raise InvalidInput(f"there is no tenant {tenant}", code="unknown_tenant", hint=hint)
    book = KeyBook(os.urandom(32), ledger)  # signs nothing here
    text, _ = book.make(tenant, [Scope(name) for name in scopes], int(time.time()), valid_s=valid_s, label=label)
    return text
