"""`halfhour admin ledger`: the tables of ledgers in a database."""

from __future__ import annotations

from typing import Annotated

import typer

from halfhour.terminal import console

Url = Annotated[str, typer.Argument(help="postgresql://user@host/database; a user that may make tables.")]

ledger = typer.Typer(no_args_is_help=True, help="Prepare a PostgreSQL database that holds ledgers.")


@ledger.command(epilog="Example:  halfhour admin ledger init postgresql://halfhour@db1/halfhour")
def init(url: Url) -> None:
    """Make the tables of an empty database; nothing is lost where they are there."""
    from api.ledger.opening import prepared

    console().print(f"ledgers can be kept in {prepared(url)}", markup=False)


@ledger.command(epilog="Example:  halfhour admin ledger migrate postgresql://halfhour@db1/halfhour")
def migrate(url: Url) -> None:
    """Bring the tables to what this version needs; markets may be served meanwhile."""
    init(url)
