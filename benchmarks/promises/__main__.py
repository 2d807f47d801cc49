"""Whether what is said of orders comes true: invented days of fresh seeds, real delivery minutes, a step.

    python -m benchmarks.promises [--work runs/promises] [--jobs 2] [--out docs/results/promises]

Days that lie finished in the work folder are not replayed again: empty it after a change of what decides.  The real
minutes are left out where HALFHOUR_DATA has none.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.inputs.public_data import DataMissing
from benchmarks.promises import days, helsinki, steps
from benchmarks.promises.judging import Heard, HeldAgainst, constant_of, ended, judged
from benchmarks.promises.page import Steps, page
from dispatch.promise.told import PLAN, QUOTE
from dispatch.promise.tracker import Tracker
from dispatch.record.run_folder import RunFolder
from dispatch.record.telling import Telling, tellings, tracked_again
from halfhour.promising import fitted


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay what is missing, judge, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/promises"), help="where finished days are kept")
    parser.add_argument("--jobs", type=int, default=2, help="days replayed at a time")
    parser.add_argument("--out", type=Path, default=Path("docs/results/promises"))
    parser.add_argument("--choose", action="store_true", help="judge the days that are chosen on; writes no page")
    parser.add_argument("--finished", action="store_true", help="judge the days that are finished, replay none")
    chosen = parser.parse_args(arguments)
    reported = days.CHOSEN_ON if chosen.choose else days.REPORTED
    if chosen.finished:
        reported = tuple(seed for seed in reported if days.is_finished(chosen.work, seed))
    days.replay_all(chosen.work, [*days.FITTED, *reported], chosen.jobs, lambda text: print(text, flush=True))
    rows, stepped = invented(chosen.work, reported)
    rows += real(chosen=chosen.choose)
    for row in rows:
        print(
            f"{row.name}: {row.orders:,} orders, P50 {row.p50:.3f}, P90 {row.p90:.3f}, pinball {row.ratio:.3f}, ",
            end="",
        )
        print(f"tenths within {100 * row.widest:.1f} points", flush=True)
    for step in stepped:
        print(f"{step.name}: {step.after_600:.3f} after 600, {step.after_300:.3f} after 300", flush=True)
    if not chosen.choose:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        write(chosen.out.with_suffix(".csv"), rows)
        chosen.out.with_suffix(".md").write_text(
            page(rows, stepped, chosen.out.name + ".csv", reported), encoding="utf-8"
        )
    return 0


def invented(work: Path, reported: Sequence[int]) -> tuple[list[HeldAgainst], list[Steps]]:
    """Quotes and first plans of the reported days, one after another, begun with what the fitted days have taught."""
    fitted_on = [days.folder_of(work, seed) for seed in days.FITTED]
    known, _ = fitted(fitted_on)
    quotes = [one for path in fitted_on for one in tellings(RunFolder(path).entries()) if one.said.basis == QUOTE]
    constant_s = constant_of(quotes)
    told, heard, plain, kinds = list[list[Telling]](), list[Heard](), dict[str, float](), dict[str, str]()
    tracker = known
    for seed in reported:
        day, tracker = days.said_again(work, seed, tracker)
        told.append(day)
        named = [one._replace(order_id=f"{seed}/{one.order_id}") for one in day]
        heard += [(one, one.said) for one in named]
        plain |= {one.order_id: one.said.expected_at + constant_s for one in named if one.said.basis == QUOTE}
        kinds |= {f"{seed}/{order_id}": name for order_id, name in days.kinds_of_stores(work, seed).items()}
        print(f"day {seed} said again", flush=True)
    names = {QUOTE: "Invented days, quotes", PLAN: "Invented days, first plans"}
    rows = [judged(names[basis], ended(heard, basis), plain, {"store": kinds.__getitem__}) for basis in names]
    return rows, [step_of(f"{names[basis]}, +8 minutes", told, known, basis) for basis in names]


def step_of(name: str, told: Sequence[Sequence[Telling]], known: Tracker, basis: str) -> Steps:
    """Coverage after the step, mean over seeds."""
    found = [steps.after_the_step(told, known, basis, seed) for seed in steps.SEEDS]
    return Steps(name, *(sum(shares) / len(found) for shares in zip(*found, strict=True)))


def real(*, chosen: bool) -> list[HeldAgainst]:
    """Orders of Helsinki from the first of September on, or those before for choosing; none where they are missing."""
    try:
        told = helsinki.minutes()
    except DataMissing as problem:
        print(f"left out: {problem}", flush=True)
        return []
    cut = int(helsinki.REPORTED_FROM.timestamp())
    before = [one for one in told if one.at < cut]
    constant_s = constant_of(before)
    heard = [one for one in tracked_again(told, Tracker()) if (one[0].at < cut) is chosen]
    plain = {one.order_id: one.said.expected_at + constant_s for one in told}
    return [judged("Helsinki, delivery minutes", ended(heard, QUOTE), plain, {})]


def write(path: Path, rows: Sequence[HeldAgainst]) -> None:
    """Every slice and tenth as a line."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(("row", "by", "group", "orders", "said", "came"))
        for row in rows:
            table.writerow((row.name, "all", "", row.orders, 0.9, round(row.p90, 4)))
            for one in row.slices:
                table.writerow((row.name, one.by, one.group, one.orders, 0.9, round(one.covered, 4)))
            for tenth in row.tenths:
                said, came = round(tenth.said, 4), round(tenth.came, 4)
                table.writerow((row.name, "probability", "", tenth.orders, said, came))


if __name__ == "__main__":
    sys.exit(main())
