"""`python -m benchmarks [--suite quick] [--only PART] [--json FILE] [--compare BASELINE] [--update BASELINE]`.

Exit status: 0 fine, 1 the gate found a difference, 2 bad input.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks import gate
from routing.errors import HalfhourError


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, compare; the exit status."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure speed, work and quality.")
    parser.add_argument("--suite", choices=benchmarks.SUITES, default="quick")
    parser.add_argument("--only", default="", metavar="PART", help="only cases with this in their name")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report")
    parser.add_argument("--compare", type=Path, metavar="BASELINE", help="exit 1 where work or quality differs")
    parser.add_argument("--update", type=Path, metavar="BASELINE", help="record the report as the new baseline")
    parser.add_argument("--record", type=Path, metavar="DIR", help="write the report under its date and version")
    chosen = parser.parse_args(arguments)
    screen = Console(stderr=True)
    try:
        baseline = gate.read(chosen.compare) if chosen.compare else None
        with screen.status("preparing") as status:
            report = benchmarks.run(
                chosen.suite, only=chosen.only, repeats=chosen.repeats, told=lambda text: status.update(text)
            )
        paper = Console()
        Console(width=max(paper.width, 160)).print(table(report))
        if chosen.json:
            gate.write(chosen.json, report)
        if chosen.record:
            name = f"{report['date']}-{report['versions']['halfhour']}-{report['suite']}.json"
            gate.write(chosen.record / name, report)
        if chosen.update:
            gate.write(chosen.update, gate.baseline_of(report))
        if baseline is None:
            return 0
        return judged(report, baseline, only=chosen.only)
    except HalfhourError as problem:
        screen.print(f"{problem}", style="red")
        return 2


def judged(report: Mapping[str, Any], baseline: Mapping[str, Any], *, only: str = "") -> int:
    """Print what differs from the baseline; 1 where it fails the gate."""
    wanted = {name: case for name, case in baseline["cases"].items() if only in name}
    findings = gate.compare(report, {**baseline, "cases": wanted})
    for finding in findings:
        print(finding)
    failed = sum(finding.fails for finding in findings)
    print(f"{len(report['cases'])} cases compared with the baseline, {failed} differences")
    return 1 if failed else 0


def table(report: Mapping[str, Any]) -> Table:
    """The report for people."""
    drawn = Table(title=f"{report['suite']} benchmarks, {report['versions']['halfhour']}, {report['date']}")
    drawn.add_column("case")
    for heading in ("CPU ms", "spread", "wall ms", "rate", "peak MiB", "work", "quality"):
        drawn.add_column(heading, justify="right")
    for name, case in report["cases"].items():
        cpu = case["cpu_s"]
        rate = case["rate"]
        drawn.add_row(
            name,
            _ms(cpu["median"]),
            f"{_ms(cpu['low'])}..{_ms(cpu['high'])}",
            _ms(case["wall_s"]["median"]),
            f"{rate['per_s']:,.0f} {rate['unit']}/s" if rate and rate["per_s"] else "",
            "" if case["peak_mib"] is None else f"{case['peak_mib']:.1f}",
            "\n".join(f"{key} {value:,}" for key, value in case["counters"].items()),
            "\n".join(f"{key} {value:,.5g}" for key, value in case["quality"].items()),
        )
    return drawn


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.2f}" if seconds < 1 else f"{seconds * 1000:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
