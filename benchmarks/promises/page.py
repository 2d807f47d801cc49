"""The page of results: what was measured beside its floor and its aim, and every slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.harness import versions
from benchmarks.promises import days, steps
from benchmarks.promises.judging import AIM, FLOOR, SLICE_AIM, SLICE_FLOOR, TENTH_FLOOR, HeldAgainst, Slice
from dispatch.record.calibration import ENOUGH

PINBALL_FLOOR, PINBALL_AIM = 0.97, 0.88


class Steps(NamedTuple):
    """Coverage of P90 in the orders after a step, mean over seeds."""

    name: str
    after_300: float
    after_600: float


def page(rows: Sequence[HeldAgainst], stepped: Sequence[Steps], csv_name: str, seeds: Sequence[int]) -> str:
    """The page as Markdown; `seeds`: of the days that were judged."""
    made = versions()
    parts = [
        "# Whether what is said of orders comes true", "",
        f"*Invented days*: {len(seeds)} of {len(days.REPORTED)} days (seeds {_list(seeds)}), each of "
        f"{days.ORDERS} orders in a city of its own with {days.RIDERS} riders, "
        "more or fewer from day to day, the eighth in the rain, "
        "replayed under what shipped with the code named below, with a quote for every order. What is said begins "
        f"with what the days of seeds {_list(days.FITTED)} have taught (`halfhour promise fit`) and goes on learning, "
        f"a day after the other; paces and groups were chosen on seeds {_list(days.CHOSEN_ON)}. *Helsinki*: "
        "orders of Wolt from 1 to 16 September 2020, where the platform's own estimate stands in the place of a quote; "
        "August has taught, and was chosen on. "
        f"Undelivered orders count as misses. Every slice is in [{csv_name}]({csv_name}).", "",
        "    python -m benchmarks.promises", "",
        f"Halfhour {made['halfhour']} ({made['commit']}).", "",
        "| | orders | P50 kept | P90 kept | floor | pinball loss of P90 over that of quote + constant | floor |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row.name} | {row.orders:,} | {row.p50:.3f} | **{row.p90:.3f}**{_mark(row.p90, FLOOR, AIM)} | "
            f"{FLOOR[0]:.2f}-{FLOOR[1]:.2f} | {row.ratio:.3f}{_below(row.ratio, PINBALL_FLOOR, PINBALL_AIM)} | "
            f"{PINBALL_FLOOR:.2f} |"
            for row in rows
        ),
        "", *_slices(rows), *_tenths(rows), *_steps(stepped),
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _list(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def _mark(value: float, floor: tuple[float, float], aim: tuple[float, float]) -> str:
    if not floor[0] <= value <= floor[1]:
        return ", floor missed"
    return "" if aim[0] <= value <= aim[1] else ", aim missed"


def _below(value: float, floor: float, aim: float) -> str:
    return ", floor missed" if value > floor else "" if value <= aim else ", aim missed"


def _slices(rows: Sequence[HeldAgainst]) -> list[str]:
    low, high = SLICE_FLOOR
    lines = [
        "## By slice", "",
        f"P90 kept in every slice of at least {ENOUGH} orders: by load (open orders for each rider), time into "
        "service, time until expected, cooking, zone of the store, weather, wait of goods, how busy the store. Floor "
        f"{low:.2f}-{high:.2f}; the aim is nine in ten slices within {SLICE_AIM[0]:.2f}-{SLICE_AIM[1]:.2f}.", "",
        "| | slices | lowest | highest | within the floor | within the aim | outside the floor |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in rows:
        large = row.large
        if not large:
            continue
        shares = [one.covered for one in large]
        outside = [one for one in large if not low <= one.covered <= high]
        aimed = sum(SLICE_AIM[0] <= share <= SLICE_AIM[1] for share in shares)
        lines.append(
            f"| {row.name} | {len(large)} | {min(shares):.3f} | {max(shares):.3f} | {len(large) - len(outside)} | "
            f"{aimed} | {', '.join(map(_slice, outside)) or 'none'} |"
        )
    return [*lines, ""]


def _slice(one: Slice) -> str:
    return f"{one.by} {one.group} {one.covered:.3f} ({one.orders:,})"


def _tenths(rows: Sequence[HeldAgainst]) -> list[str]:
    lines = [
        "## Probabilities", "",
        f"By tenths of the probability said that the promise is kept: said and come differ by at most "
        f"{100 * TENTH_FLOOR:.0f} points wherever {ENOUGH} orders stand. That is the floor.", "",
        "| | said, come and orders of each tenth | widest gap, points |", "|---|---|---|",
    ]  # fmt: skip
    for row in rows:
        told = ", ".join(f"{one.said:.2f} {one.came:.2f} ({one.orders:,})" for one in row.tenths)
        missed = ", floor missed" if row.widest > TENTH_FLOOR else ""
        lines.append(f"| {row.name} | {told} | {100 * row.widest:.1f}{missed} |")
    return [*lines, ""]


def _steps(stepped: Sequence[Steps]) -> list[str]:
    seconds, count = steps.STEP_S // 60, len(steps.SEEDS)
    lines = [
        "## A step", "",
        f"From one order on everything comes {seconds} minutes later, and is known so much later. P90 kept in the "
        f"{steps.WINDOW} orders that follow, mean over {count} seeds (another order of days, another order at which it "
        "begins); the floor is after 600, the aim after 300.", "",
        "| | after 600 | after 300 |", "|---|---|---|",
    ]  # fmt: skip
    for one in stepped:
        after_600, after_300 = _mark(one.after_600, FLOOR, FLOOR), _mark(one.after_300, FLOOR, FLOOR)
        lines.append(f"| {one.name} | {one.after_600:.3f}{after_600} | {one.after_300:.3f}{after_300} |")
    return lines
