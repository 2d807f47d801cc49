"""Pages of docs/ that are made from the code: `python -m tests.kit.pages` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from benchmarks.days.city_days import read_rows
from benchmarks.days.city_days_page import as_shipped, frontier
from dispatch.lifecycle import CORRECTABLE, TABLE, Trigger
from dispatch.model import OrderState
from dispatch.settings.settings import schema
from halfhour.commands.config import bounds
from tests.architecture.sources import ROOT

SECTIONS = {
    "rules": "Operating rules: what is allowed, and when things become irrevocable.",
    "prices": "What a plan costs, in points; one point is a hundredth of a second of one order's door time.",
    "search": "How hard a round is planned.",
    "reposition": "Empty moves by expected coverage.",
}


def settings_tables() -> str:
    """Every setting, one table for each section."""
    parts = []
    for section, title in SECTIONS.items():
        parts += [f"## {section}", "", title, "", "| setting | default | values | meaning |", "|---|---|---|---|"]
        for known in schema():
            if known.section == section:
                default = str(known.default).lower() if isinstance(known.default, bool) else str(known.default)
                values = bounds(known).replace(" | ", ", ")
                note = "" if known.live else " Read at start only."
                parts.append(f"| `{known.key}` | {default} | {values} | {known.doc}{note} |")
        parts.append("")
    return "\n".join(parts).rstrip()


def lifecycle_table() -> str:
    """Every transition: a row for each state, its ways out."""
    lines = ["| state | what happens | next state |", "|---|---|---|"]
    for state in OrderState:
        for trigger in Trigger:
            after = TABLE.get((state, trigger))
            if after is not None:
                lines.append(f"| {state.value} | {trigger.value.replace('_', ' ')} | {after.value} |")
    return "\n".join(lines)


def corrections_table() -> str:
    """What a late report may still correct."""
    lines = ["| state | a report of | becomes |", "|---|---|---|"]
    lines += [
        f"| {state.value} | {trigger.value.replace('_', ' ')} | {after.value} |"
        for (state, trigger), after in CORRECTABLE.items()
    ]
    return "\n".join(lines)


def city_days(made: Callable[[Sequence[Mapping[str, str]]], str]) -> Callable[[], str]:
    """A table made from the days of docs/results/city-days.csv."""
    return lambda: made(read_rows(ROOT / "docs" / "results" / "city-days.csv"))


MADE: dict[tuple[str, str], Callable[[], str]] = {
    ("settings.md", "settings"): settings_tables,
    ("life-of-an-order.md", "transitions"): lifecycle_table,
    ("life-of-an-order.md", "corrections"): corrections_table,
    ("presets.md", "frontier"): city_days(frontier),
    ("../README.md", "as shipped"): city_days(as_shipped),
}
"""(page, mark) -> what stands between `<!-- mark -->` and `<!-- end -->`."""


def renewed(page: str, text: str) -> str:
    """The page's text with everything that is made from the code made anew."""
    for (name, mark), make in MADE.items():
        if name == page:
            between = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- end -->)", flags=re.DOTALL)
            made = make()
            text, count = between.subn(lambda found, made=made: f"{found[1]}{made}\n{found[2]}", text)  # type: ignore[misc]
            assert count == 1, f"{page} has no mark {mark}"
    return text


if __name__ == "__main__":
    for name in sorted({page for page, _ in MADE}):
        path = ROOT / "docs" / name
        path.write_text(renewed(name, path.read_text(encoding="utf-8")), encoding="utf-8")
