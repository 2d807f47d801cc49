"""`halfhour verify`: does a run folder hold together?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from halfhour.terminal import console, print_json

if TYPE_CHECKING:
    from dispatch.record.run_folder import RunFolder

EXAMPLE = "halfhour verify runs/first"

OTHER_VERSION = "another version decided them, and this one would decide some otherwise"


def verify(
    where: Annotated[str, typer.Argument(help="A run folder, or a live service's ledger: its folder or its address.")],
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fold the journal, decide every step again, and compare both with what was written down."""
    folder, in_database = Path(where), "://" in where
    if in_database or (folder / "ledger.sqlite").is_file():
        from halfhour.commands.live.journal import verify as verify_ledger

        verify_ledger(None if in_database else folder, where if in_database else "", as_data)
        return
    found = verified(folder)
    if as_data:
        print_json(found)
        return
    agree = "decided again: all agree" if found["decided_again"] else f"folded: {OTHER_VERSION}"
    console().print(f"{found['entries']:,} entries {agree}.", style="green", markup=False)
    console().print(f"decision digest  {found['decision_digest']}", markup=False)


def verified(folder: Path) -> dict[str, Any]:
    """What was checked; raises CorruptJournal at the first thing that differs."""
    from dispatch.errors import CorruptJournal
    from dispatch.record.journal import fold
    from dispatch.record.kpi import kpis
    from dispatch.record.run_folder import JOURNAL, SUMMARY, RunFolder

    run = RunFolder(folder)
    header, catalogue, summary = run.header, run.catalogue, run.summary
    journal = str(folder / JOURNAL)
    if header.catalogue_digest != run.catalogue_digest:
        raise CorruptJournal("it was made from another catalogue than the one beside it", file=journal, line=1)
    try:
        entries, decided_again = _decided_again(run)
        board = fold(run.catalogue.places, header.engine_settings(), run.entries())
    except CorruptJournal as problem:
        problem.details.setdefault("file", journal)
        raise
    folded = kpis(catalogue, run.entries())
    if folded.decision_digest != summary["decision_digest"]:
        raise CorruptJournal("its decisions are not those of summary.json", file=str(folder / SUMMARY))
    return {
        "entries": entries,
        "decided_again": decided_again,
        "orders": board.orders_taken,
        "ended": board.orders_taken - len(board.open_orders),
        "decision_digest": folded.decision_digest,
        "complete": summary["complete"],
    }


def _decided_again(run: RunFolder) -> tuple[int, bool]:
    """How many entries there are, and whether this version decides each as it was decided; its own it must."""
    from dispatch.errors import CorruptJournal
    from dispatch.version import __version__

    try:
        return run.verify(), True
    except CorruptJournal:
        if run.header.code_version == __version__:
            raise
        return sum(1 for _ in run.entries()), False
