"""A run folder: everything one run left behind, and all that is needed to check it.

    summary.json      KPIs, settings, versions, digests
    orders.csv        one line per order (ORDER_COLUMNS)
    riders.csv        one line per rider (RIDER_COLUMNS)
    use.csv           one line per tenant, store and zone: what its orders used of the fleet (USE_COLUMNS)
    journal.jsonl     every input with its events
    catalogue.json    places, stores, riders, shifts, settings, travel description

It is written under a temporary name beside its place and renamed when it is whole.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from dispatch.record.anatomy import PARTS
from dispatch.record.by_kind import NONE
from dispatch.record.catalogue import Catalogue
from dispatch.record.journal import Entry, Header, read_entries, read_header, verify
from dispatch.record.kpi import KpiFold
from dispatch.record.lives import OrderLife
from dispatch.settings.settings import Settings
from routing.errors import InvalidInput, UnreadableFile

ORDER_COLUMNS = (
    "order_id", "store_id", "state", "rider_id", "placed_at", "ready_at", "due_at", "told_at", "picked_up_at",
    "delivered_at", "ended_at", "end_reason", "reason", "click_to_door_s", "ready_to_pickup_s", "ready_to_door_s",
    "lateness_s", "on_time", "shared_with", "kitchen_s", "waiting_s", "driving_s", "batching_s", "handover_s", "p50_at",
    "p90_at", "on_time_probability", "fee", "marginal_cost",
    "co2_g",
)  # fmt: skip
RIDER_COLUMNS = (
    "rider_id", "profile", "engagement", "on_at", "off_at", "shift_s", "beyond_shift_s", "delivered", "stops",
    "empty_moves", "driven_s", "driven_m", "served_s", "waited_s", "utilisation", "pay",
)  # fmt: skip

USE_COLUMNS = (
    "of", "name", "orders", "delivered", "minutes", "driven_m", "co2_g", "empty_share", "load_factor",
)  # fmt: skip

SUMMARY, ORDERS, RIDERS, JOURNAL, CATALOGUE, USE = (
    "summary.json", "orders.csv", "riders.csv", "journal.jsonl", "catalogue.json", "use.csv",
)  # fmt: skip


IN_EVERY_SUMMARY = (
    "scenario", "policy", "seed", "settings", "complete", "catalogue_digest", "decision_digest", "orders",
)  # fmt: skip
"""Keys of summary.json without which nothing can be said about a run."""


class OutputExists(InvalidInput):
    """A folder that would be overwritten."""

    code = "output_exists"


class RunFolderWriter:
    """A run folder in the making; use it as a context manager.

    `path` is where files are written meanwhile.  Leaving the block without an error puts the folder in its place;
    with one, nothing is left behind.
    """

    def __init__(self, target: Path, *, force: bool = False) -> None:
        self.target = target.resolve()
        self._force = force
        self.path = self.target.with_name(f".{self.target.name}.unfinished")
        self._made = [parent for parent in self.target.parents if not parent.exists()]

    def __enter__(self) -> RunFolderWriter:
        refuse_to_overwrite(self.target, force=self._force)
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        self._journal = (self.path / JOURNAL).open("w", encoding="utf-8", buffering=1 << 20, newline="\n")
        return self

    @property
    def journal(self) -> TextIO:
        """The stream that takes the journal."""
        return self._journal

    def write(self, catalogue: Catalogue, folded: KpiFold, summary: dict[str, Any]) -> None:
        """Write everything but the journal."""
        catalogue.write(self.path / CATALOGUE)
        write_csv(self.path / ORDERS, ORDER_COLUMNS, order_rows(folded))
        write_csv(self.path / RIDERS, RIDER_COLUMNS, rider_rows(folded))
        write_csv(self.path / USE, USE_COLUMNS, use_rows(folded))
        text = json.dumps(summary, ensure_ascii=False, indent=1)
        (self.path / SUMMARY).write_text(text + "\n", encoding="utf-8")
        self._journal.flush()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._journal.close()  # writes what is still in its buffer
        except OSError:
            self._take_away()
            if kind is None:
                raise
            return
        if kind is not None:
            self._take_away()
            return
        put_in_place(self.path, self.target)

    def _take_away(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        for parent in self._made:
            with contextlib.suppress(OSError):  # something else has come into it meanwhile
                parent.rmdir()


class RunFolder:
    """A finished run folder, for reading."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if not (self.path / SUMMARY).is_file():
            raise UnreadableFile(
                "this is no run folder: it has no summary.json",
                file=str(path),
                hint="Name a folder that `halfhour replay` has written.",
            )

    @property
    def summary(self) -> dict[str, Any]:
        """summary.json."""
        file = str(self.path / SUMMARY)
        try:
            value: dict[str, Any] = json.loads((self.path / SUMMARY).read_text(encoding="utf-8"))
        except ValueError as problem:
            raise UnreadableFile(f"damaged: {problem}", file=file) from problem
        missing = [name for name in IN_EVERY_SUMMARY if not isinstance(value, dict) or name not in value]
        if missing:
            raise UnreadableFile(f"damaged: it lacks {', '.join(missing)}", file=file, hint="Replay the day again.")
        return value

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue, read anew: its places stand where they stood when the day began."""
        return Catalogue.read(self.path / CATALOGUE)

    @property
    def catalogue_digest(self) -> str:
        """Short hash of the catalogue as it was written, by whatever version."""
        return hashlib.sha256((self.path / CATALOGUE).read_bytes()).hexdigest()[:16]

    @property
    def header(self) -> Header:
        """The journal's header."""
        return read_header(self.path / JOURNAL)

    def entries(self) -> Iterator[Entry]:
        """The journal's entries, one at a time."""
        return read_entries(self.path / JOURNAL)

    def orders(self) -> list[dict[str, str]]:
        """orders.csv as text cells by column."""
        return read_csv(self.path / ORDERS)

    def riders(self) -> list[dict[str, str]]:
        """riders.csv as text cells by column."""
        return read_csv(self.path / RIDERS)

    def settings(self) -> Settings:
        """The settings the engine began with."""
        return self.header.engine_settings()

    def verify(self) -> int:
        """Decide the whole journal anew; the number of entries that agree.  CorruptJournal at the first not to."""
        return verify(self.catalogue.places, self.settings(), self.entries())


def refuse_to_overwrite(target: Path, *, force: bool) -> None:
    """Raise OutputExists where a folder with content stands in the way and `force` was not given."""
    if target.exists() and not force and (not target.is_dir() or any(target.iterdir())):
        raise OutputExists("this folder exists already", file=str(target), hint="Name another, or give --force.")
    if target.exists() and not target.is_dir():
        raise OutputExists("a file stands where the folder should go", file=str(target), hint="Name another.")


def is_ours(folder: Path) -> bool:
    """Whether a folder was written by a replay, a scenario's writer or the demo, and may be removed with `force`."""
    return any((folder / mark).is_file() for mark in (JOURNAL, "scenario.toml", "scenario/scenario.toml"))


def put_in_place(made: Path, target: Path) -> None:
    """Rename a finished folder to its place.  A folder of ours there goes first; of any other, nothing is removed."""
    if is_ours(target):
        shutil.rmtree(target)
    if not target.exists():
        made.replace(target)
        return
    for item in sorted(made.iterdir()):
        if item.is_dir() and (target / item.name).is_dir():
            put_in_place(item, target / item.name)
        else:
            item.replace(target / item.name)
    made.rmdir()


def order_rows(folded: KpiFold) -> Iterator[tuple[Any, ...]]:
    """The lines of orders.csv, in the order of acceptance."""
    for life in folded.orders.values():
        order, delivered = life.order, life.delivered_at is not None
        reason = life.reason.name if life.reason is not None and not delivered else None
        yield (
            order.order_id, order.store_id, life.state.value, life.rider_id, order.placed_at, life.ready_at,
            order.due_at, life.told_at, life.picked_up_at, life.delivered_at, life.ended_at, life.end_reason, reason,
            life.click_to_door_s if delivered else None,
            life.ready_to_pickup_s if delivered else None,
            life.ready_to_door_s if delivered else None,
            life.lateness_s if delivered else None,
            int(life.is_on_time), life.shared_with, *(folded.anatomy_of(life) or (None,) * len(PARTS)),
            *_odds_of(life), *((None, None) if life.fee is None else (life.fee.amount, life.fee.cost)),
            round(folded.uses.of(order.order_id).co2_g, 1),
        )  # fmt: skip


def _odds_of(life: OrderLife) -> tuple[Any, ...]:
    """P50, P90 and the probability that the promise is kept, as last said."""
    if not life.said:
        return (None, None, None)
    said = life.said[-1]
    return said.p50_at, said.p90_at, said.on_time / 1000


def rider_rows(folded: KpiFold) -> Iterator[tuple[Any, ...]]:
    """The lines of riders.csv, in the order of the catalogue."""
    for day in folded.riders.values():
        on_at = min((shift.start_at for shift in day.shifts), default=None)
        off_at = max((shift.end_at or shift.last_pickup_at for shift in day.shifts), default=None)
        pay = folded.pay_of(day)
        yield (
            day.rider.rider_id, day.rider.profile, day.rider.engagement.value, on_at, off_at, day.shift_s,
            day.beyond_shift_s, day.delivered, day.stops, day.empty_moves, day.driven_s, day.driven_m, day.served_s,
            day.waited_s, round(day.busy_s / day.at_work_s, 4) if day.at_work_s else None,
            None if pay is None else round(pay, 2),
        )  # fmt: skip


def use_rows(folded: KpiFold) -> Iterator[tuple[Any, ...]]:
    """The lines of use.csv: tenants where any is named, stores, zones."""
    for of in ("tenant", "store", "zone"):
        table = folded.use_by(of)
        if of != "tenant" or table.keys() - {NONE}:
            yield from ((of, name, *figures.values()) for name, figures in table.items())


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file with a header line; None becomes an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file as text cells by column; raises UnreadableFile."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))
    except OSError as problem:
        raise UnreadableFile(f"cannot be read: {problem.strerror}", file=str(path)) from problem
