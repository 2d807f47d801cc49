"""What a report says of promises: where the minutes went, what was said and what came, the worst orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from dispatch.model import OrderState
from dispatch.record import calibration
from dispatch.record.anatomy import PARTS
from dispatch.record.catalogue import Catalogue
from dispatch.record.kpi import KpiFold
from dispatch.record.lives import OrderLife
from dispatch.record.people.spread import gini
from dispatch.record.use import ZoneNames
from halfhour.report.figures import FilmClock

WORST = 10
MOST_ROWS = 24


class TruthTable(NamedTuple):
    """A card of the report: heads and rows of cells, as HTML."""

    title: str
    note: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_wide: bool = False
    """Its cells hold sentences."""


ANATOMY_HEADS = (
    "orders",
    "on time",
    "kitchen",
    "waiting for a rider",
    "driving",
    "batching",
    "handover",
    "click to door",
)


def anatomy(catalogue: Catalogue, fold: KpiFold, clock: FilmClock) -> list[TruthTable]:
    """Where the minutes went, by hour of placement, by zone and store, by rider: those with most orders."""
    zones = zone_names(catalogue)
    by: tuple[tuple[str, Callable[[OrderLife], str]], ...] = (
        ("hour", lambda life: clock(life.order.placed_at)[:2] + " h"),
        ("zone", lambda life: zones.get(life.order.store_id, "–")),
        ("store", lambda life: life.order.store_id),
        ("rider", lambda life: life.rider_id or "–"),
    )
    note = "Minutes per delivered order; the parts add up to click to door, and docs/kpis.md defines each."
    tables = []
    for name, key in by:
        groups: dict[str, list[OrderLife]] = {}
        for life in fold.orders.values():
            if life.state is not OrderState.CANCELLED:
                groups.setdefault(key(life), []).append(life)
        chosen = sorted(groups, key=lambda group: (-len(groups[group]), group))[:MOST_ROWS]
        rows = [[escape(group), *_minutes(fold, groups[group])] for group in sorted(chosen)]
        tables.append(TruthTable(f"Where the minutes went, by {name}", note, (name, *ANATOMY_HEADS), rows))
    return tables


def zone_names(catalogue: Catalogue) -> dict[str, str]:
    """By store: the zone that holds it, or the H3 cell by which promises are learnt where no zone does."""
    names = ZoneNames(catalogue)
    return {store.store_id: names.of(store.place) for store in catalogue.stores}


def _minutes(fold: KpiFold, lives: Sequence[OrderLife]) -> list[str]:
    parts = [found for life in lives if (found := fold.anatomy_of(life)) is not None]
    kept = f"{sum(life.is_on_time for life in lives) / len(lives):.0%}"
    if not parts:
        return [str(len(lives)), kept, *["–"] * (len(PARTS) + 1)]
    means = [sum(seconds) / len(parts) / 60 for seconds in zip(*parts, strict=True)]
    return [str(len(lives)), kept, *(f"{mean:.1f}" for mean in means), f"{sum(means):.1f}"]


def calibrated(fold: KpiFold) -> TruthTable | None:
    """What was said with first plans against what came; None where nothing was said."""
    found = calibration.outcomes(fold.orders.values())
    if not found:
        return None
    ready = sum(one.said.calibrated for one in found) / len(found)
    note = (
        f"P50 held for {calibration.coverage(found, 500):.1%}, P90 for {calibration.coverage(found, 900):.1%} of "
        f"{len(found):,} orders; {ready:.0%} were said after 600 deliveries had taught it."
    )
    rows = [[f"{tenth.said:.0%}", f"{tenth.came:.0%}", f"{tenth.orders:,}"] for tenth in calibration.tenths(found)]
    return TruthTable("Probabilities of keeping a promise, said and come", note, ("said", "came", "orders"), rows)


def earnings(fold: KpiFold) -> TruthTable | None:
    """What riders earned for an hour of shift, and how evenly; None where the day says nothing of pay or shifts."""
    paid = sorted(
        pay * 3600 / day.shift_s
        for day in fold.riders.values()
        if day.shift_s and (pay := fold.pay_of(day)) is not None
    )
    if not paid:
        return None
    rows = [
        ["lowest", f"{paid[0]:.2f}"],
        ["middle", f"{paid[len(paid) // 2]:.2f}"],
        ["highest", f"{paid[-1]:.2f}"],
        ["Gini coefficient, 0 where all earn the same", f"{gini(paid):.3f}"],
    ]
    return TruthTable("Earnings for an hour of shift", f"{len(paid):,} riders.", ("", "pay"), rows)


def worst(fold: KpiFold, clock: FilmClock) -> TruthTable:
    """The ten orders that missed their promise by most, those never delivered first, each with what happened to it."""
    missed = [life for life in fold.orders.values() if life.state is not OrderState.CANCELLED and not life.is_on_time]
    missed.sort(key=lambda life: (life.delivered_at is not None, -life.lateness_s, life.order.order_id))
    rows = []
    for life in missed[:WORST]:
        late = f"{life.lateness_s / 60:.0f} min" if life.delivered_at is not None else escape(life.state.value)
        rows.append(
            [escape(life.order.order_id), late, f'<span class="story">{escape(story(fold, life, clock))}</span>']
        )
    heads = ("order", "late", "what happened")
    return TruthTable("The worst orders", "Missed their promise by most.", heads, rows, is_wide=True)


def story(fold: KpiFold, life: OrderLife, clock: FilmClock) -> str:
    """One order in a line."""
    order = life.order
    said = [
        f"placed {clock(order.placed_at)} at {order.store_id} for {clock(order.due_at)}",
        f"ready {clock(life.ready_at)}",
    ]
    if life.settled_at is not None:
        said.append(f"{life.rider_id} told {clock(life.settled_at)}")
    if life.to_store is not None:
        said.append(f"at the store {clock(life.to_store[1])}")
    if life.picked_up_at is not None:
        said.append(f"fetched {clock(life.picked_up_at)}")
    if life.shared_with:
        said.append(f"with {life.shared_with} more on board")
    if life.delivered_at is not None:
        said.append(f"delivered {clock(life.delivered_at)}")
    elif life.end_reason or life.reason is not None:
        said.append(life.end_reason or str(life.reason.name if life.reason is not None else ""))
    parts = fold.anatomy_of(life)
    if parts is not None:
        largest = max(range(len(PARTS)), key=lambda k: parts[k])
        said.append(f"most of it {PARTS[largest][:-2]}, {parts[largest] / 60:.0f} min")
    return ", ".join(said)
