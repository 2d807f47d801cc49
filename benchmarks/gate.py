"""The gate: a report against the committed baseline.  Work is compared exactly, quality within stated bounds.

A changed counter is not wrong in itself: whoever meant it records a new baseline (`make baseline`) in the same change,
and the difference is there to be read in the review.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness import Bound
from routing.errors import UnreadableFile


class Finding(NamedTuple):
    """One difference; `fails` says whether the gate stays shut."""

    case: str
    text: str
    fails: bool = True

    def __str__(self) -> str:
        return f"{'FAIL' if self.fails else 'note'}  {self.case}: {self.text}"


def compare(report: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[Finding]:
    """Every difference between a report and the baseline, failures first."""
    findings: list[Finding] = []
    known = baseline["cases"]
    for name, case in report["cases"].items():
        if name not in known:
            findings.append(Finding(name, "has no baseline; record one"))
            continue
        findings += _counters(name, case["counters"], known[name]["counters"])
        findings += _quality(name, case["quality"], known[name]["quality"])
    findings += [Finding(name, "was not measured") for name in known if name not in report["cases"]]
    return sorted(findings, key=lambda finding: not finding.fails)


def _counters(name: str, now: Mapping[str, int], then: Mapping[str, int]) -> Iterator[Finding]:
    for counter in sorted({*now, *then}):
        if counter not in now or counter not in then:
            yield Finding(name, f"work counter {counter} is {'gone' if counter in then else 'new'}")
        elif now[counter] != then[counter]:
            more = f" ({now[counter] / then[counter] - 1:+.1%})" if then[counter] else ""
            yield Finding(name, f"work counter {counter}: {then[counter]} -> {now[counter]}{more}")


def _quality(name: str, now: Mapping[str, float], then: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    for quality, stated in then.items():
        if quality not in now:
            yield Finding(name, f"quality {quality} is gone")
            continue
        bound = Bound(stated["better"], stated["share"], stated["slack"])
        change = now[quality] - stated["value"]
        worse = change if bound.better == "lower" else -change
        room = bound.room(stated["value"])
        text = f"{quality}: {stated['value']:.6g} -> {now[quality]:.6g}, bound {room:.3g}"
        if not worse <= room:  # so that a NaN fails
            yield Finding(name, f"{text}: worse")
        elif -worse > room:
            yield Finding(name, f"{text}: better; record a new baseline to keep it", fails=False)


def baseline_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a report that later ones are compared with: no times, no machine."""
    cases = {}
    for name, case in report["cases"].items():
        judged = {
            quality: {"value": case["quality"][quality], **bound} for quality, bound in sorted(case["bounds"].items())
        }
        cases[name] = {"counters": case["counters"], "quality": judged}
    return {"schema": report["schema"], "suite": report["suite"], "cases": cases}


def read(path: Path) -> dict[str, Any]:
    """A report or baseline; raises UnreadableFile."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(value["cases"], dict):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError):
        raise UnreadableFile(
            "is no benchmark report", file=str(path), hint="Record one with `python -m benchmarks --update FILE`."
        ) from None
    return dict(value)


def write(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON under a temporary name, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=1, sort_keys=False) + "\n", encoding="utf-8")
    part.replace(path)
