"""`halfhour journal`: copies, checks and exports of a live service's ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from halfhour.commands.live.admin_settings import upgrade
from halfhour.terminal import INCOMPLETE, console, print_json
from routing.errors import InvalidInput

EXAMPLE = "halfhour journal export yesterday/ && halfhour replay yesterday/"

app = typer.Typer(no_args_is_help=True, help="Read, check, copy and export the ledger of a live service.")

Data = Annotated[Path | None, typer.Option(help="Folder of the ledger.")]
Url = Annotated[str, typer.Option("--ledger", help="Instead: a database, postgresql://host/database#market.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _folder(data: Path | None) -> Path:
    from halfhour.commands.live.serve import usual_folder

    return data if data is not None else usual_folder()


def _address(data: Path | None, ledger: str) -> str:
    """Where the ledger is; raises InvalidInput where the command line contradicts itself."""
    if ledger and data is not None:
        raise InvalidInput(
            "a ledger is in a folder or in a database", field="ledger", hint="Leave --data or --ledger out."
        )
    return ledger or str(_folder(data))


@app.command(epilog="Example:  halfhour journal export yesterday/")
def export(
    target: Annotated[Path, typer.Argument(help="The scenario folder to write.")],
    data: Data = None,
    ledger: Url = "",
    exact: Annotated[bool, typer.Option(help="Keep customers' exact positions; needs --reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why exact positions are needed; goes into the audit log.")] = "",
    force: Annotated[bool, typer.Option(help="Replace an existing folder.")] = False,
    as_data: AsJson = False,
) -> None:
    """Write the live day as a scenario, for `halfhour replay`."""
    from api.ledger.upkeep.audit import write_down
    from halfhour.live.live_export import export as write

    address = _address(data, ledger)
    if exact:
        write_down(address, f"exact export to {target}", reason)
    found = write(address, target, exact=exact, force=force)
    if as_data:
        print_json(found._asdict() | {"exact": exact, "whole": found.is_whole})
        raise typer.Exit(0 if found.is_whole else INCOMPLETE)
    where = "exact positions" if exact else f"{found.coarsened} drops moved to the middle of their cell"
    console().print(f"{found.orders} orders, {found.riders} riders, {found.stores} stores: {target} ({where})")
    if found.erased:
        console().print(f"{found.erased} customers were erased: the replay is near, not exact.")
    if found.first_entry > 1:
        console().print(
            f"Entries 1 to {found.first_entry - 1} are not here: the day begins with the oldest snapshot, and orders "
            "that had ended by then are missing. Put the segments back into archive/ for the whole day.",
            style="yellow",
        )
    if found.beyond_bounds:
        console().print(
            f"{found.beyond_bounds} orders, riders, shifts or news hold values that no round can count with, and were "
            "left out.",
            style="yellow",
        )
    _say_skipped(found.skipped_entries, found.left_out_entries)
    if not found.is_whole:
        raise typer.Exit(INCOMPLETE)


def _say_skipped(skipped: int, more: int) -> None:
    if skipped:
        console().print(
            f"{skipped} entries were left out by a repair, and {more} later ones mean nothing without them.",
            style="yellow",
        )


@app.command(epilog="Example:  halfhour journal verify")
def verify(data: Data = None, ledger: Url = "", as_data: AsJson = False) -> None:
    """Decide every entry again and compare."""
    from api.ledger.upkeep.verifying import verify as decide_again

    found = decide_again(_address(data, ledger))
    if as_data:
        print_json(found._asdict())
        return
    said = "all agree." if not found.unlike else f"all agree but {found.unlike} decided before a repair."
    console().print(f"{found.entries:,} entries decided again: {said}", style="green")
    if found.other_version:
        more = f"{found.other_version:,} more were folded"
        console().print(f"{more}: another version decided them, and this one would otherwise.")
    if found.skipped:
        console().print(f"{found.skipped} entries were left out by a repair; the chain holds them as written.")


@app.command(epilog="Example:  halfhour journal kpis")
def kpis(data: Data = None, ledger: Url = "", as_data: AsJson = False) -> None:
    """The figures of what was lived, by the same fold as a replay's."""
    from halfhour.live.live_kpis import figures_of

    found = figures_of(_address(data, ledger))
    if as_data:
        print_json(found)
        return
    for name, value in found.items():
        console().print(f"{name:24s} {value}", highlight=False, markup=False)


@app.command(epilog="Example:  halfhour journal backup backups/today")
def backup(target: Annotated[Path, typer.Argument(help="An empty folder.")], data: Data = None) -> None:
    """Copy the ledger of a running or stopped service, as of one moment."""
    from api.ledger.upkeep.maintenance import backup as copy

    console().print(f"{copy(_folder(data), target):,} entries kept in {target}")


@app.command(epilog="Example:  halfhour journal copy live/ 'postgresql://halfhour@db1/halfhour#munich'")
def copy(
    source: Annotated[str, typer.Argument(help="A folder, or postgresql://host/database#market.")],
    target: Annotated[str, typer.Argument(help="Another one, which holds nothing yet.")],
    as_data: AsJson = False,
) -> None:
    """Move a stopped service's ledger between a folder and a database, whole and checked."""
    from api.ledger.opening import shown
    from api.ledger.upkeep.copying import copy as move
    from halfhour.terminal import progress

    with progress("copying entries") as moved:
        found = move(source, target, moved)
    if as_data:
        print_json(found._asdict())
        return
    console().print(
        f"{found.entries} entries, {found.places} places, {found.notices} notices, {found.ended_orders} ended orders: "
        f"{shown(target)}, and the chain ends as it did in {shown(source)}.",
        markup=False,
    )


@app.command(epilog="Example:  halfhour journal restore backups/today")
def restore(source: Annotated[Path, typer.Argument(help="A folder that backup wrote.")], data: Data = None) -> None:
    """Put a copy where the service will find it, after checking that it is whole and folds."""
    from api.ledger.upkeep.maintenance import restore as put_back

    console().print(f"{put_back(source, _folder(data)):,} entries restored")


app.command(epilog="The same as:  halfhour admin upgrade")(upgrade)


@app.command(epilog="Example:  halfhour journal repair --skip 1207 --reason 'it names an order that nobody knows'")
def repair(
    skip: Annotated[int, typer.Option(min=1, help="Number of the entry that cannot be folded.")],
    reason: Annotated[str, typer.Option(help="Why; goes into the audit log.")] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Also leave out what cannot be folded without it.")] = False,
    data: Data = None,
    as_data: AsJson = False,
) -> None:
    """Go on without an entry that cannot be folded (service stopped); rows stay as they are, and that is audited."""
    from api.ledger.upkeep.repair import skip as leave_out

    made = leave_out(_folder(data), skip, reason, follow=follow)
    if as_data:
        print_json([one._asdict() for one in made])
        return
    for one in made:
        console().print(f"entry {one.seq} is left out from now on: {one.problem}", markup=False)


@app.command(epilog="Example:  halfhour journal accept --reason 'disk failed, the copy is older'")
def accept(data: Data = None, reason: Annotated[str, typer.Option(help="Why; goes into the audit log.")] = "") -> None:
    """Go on with a ledger that has lost its end or was changed (service stopped), and audit that."""
    from api.ledger.upkeep.accepting import accept as take
    from api.ledger.upkeep.lived import present

    found = take(present(_folder(data)), reason)
    for line in found or ["Nothing is wrong with it."]:
        console().print(line, markup=False)


@app.command(epilog="Example:  halfhour journal rotate")
def rotate(data: Data = None) -> None:
    """Move entries that both snapshots cover into a segment now; a running service does it itself."""
    from api.ledger.upkeep.maintenance import rotate as move

    found = move(_folder(data))
    console().print("Nothing to move yet." if found is None else f"{found[1]:,} entries moved to {found[0].name}")


@app.command(epilog="Example:  halfhour journal show --after 100 --limit 5")
def show(
    data: Data = None,
    ledger: Url = "",
    after: Annotated[int, typer.Option(min=0, help="Entries behind this one.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
) -> None:
    """Entries as JSON lines: an input and the events it led to; no personal data is in them."""
    import itertools
    import json
    import sys

    from api.ledger.records import text_of
    from api.ledger.upkeep.lived import opened

    reader = opened(_address(data, ledger))
    skips = reader.skips()
    for text in itertools.islice(reader.texts(after), limit):
        line = text_of(text)
        if text.seq in skips:
            line = f'{line[:-1]},"skipped":{json.dumps(skips[text.seq].reason, ensure_ascii=False)}}}'
        sys.stdout.write(line + "\n")
    reader.close()
