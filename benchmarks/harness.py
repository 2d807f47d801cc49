"""The shared harness: warm-up, interleaved repeats, medians with spread, CPU beside wall, work counters, peak memory.

A case is prepared once and then run several times, always in turn with the other cases, so that a slow minute of the
machine falls on all of them.  Times are published and never judged; work counters and quality must come out the same in
every repeat, and those are what the gate compares.
"""

from __future__ import annotations

import datetime
import gc
import importlib.metadata
import platform
import resource
import statistics
import subprocess
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from dispatch.version import __version__
from routing.errors import HalfhourError

SCHEMA = 1
"""Version of the report's JSON."""

Work = Callable[[], "Sample"]


class NotRepeatable(HalfhourError):
    """A case counted other work, or reached another quality, when it was run again."""

    code = "not_repeatable"


class Sample(NamedTuple):
    """What one run of a case did: counted work, the quality reached, and how many units (for the rate)."""

    counters: Mapping[str, int] = {}
    quality: Mapping[str, float] = {}
    amount: int = 0


class Bound(NamedTuple):
    """How much worse than its baseline a quality may come out: a share of the baseline, plus an absolute part."""

    better: Literal["lower", "higher"] = "lower"
    share: float = 0.0
    slack: float = 0.0

    def room(self, baseline: float) -> float:
        """The tolerated difference."""
        return abs(baseline) * self.share + self.slack


@dataclass(frozen=True)
class Case:
    """Something to measure.  `prepare` does everything that is not measured and returns the work."""

    name: str
    prepare: Callable[[], Work]
    suites: tuple[str, ...] = ("quick", "full")
    repeats: int = 5
    unit: str = ""
    """What `Sample.amount` counts: a rate per second is published."""
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    """By name of the quality; one that has none is published, not judged."""
    memory: bool = True
    """Also run once under a memory tracer (slow: off for long cases)."""


class Spread(NamedTuple):
    """Median, lowest and highest of the repeats."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values))


class Measured(NamedTuple):
    """One case after all its repeats."""

    name: str
    repeats: int
    wall_s: Spread
    cpu_s: Spread
    peak_mib: float | None
    sample: Sample
    unit: str
    bounds: Mapping[str, Bound]

    @property
    def rate(self) -> float | None:
        """Units per second of CPU time."""
        return self.sample.amount / self.cpu_s.median if self.unit and self.cpu_s.median > 0 else None

    def as_json(self) -> dict[str, Any]:
        """The case's block in the report."""
        return {
            "repeats": self.repeats,
            "wall_s": dict(self.wall_s._asdict()),
            "cpu_s": dict(self.cpu_s._asdict()),
            "peak_mib": self.peak_mib,
            "rate": {"per_s": self.rate, "unit": self.unit} if self.unit else None,
            "counters": dict(self.sample.counters),
            "quality": dict(self.sample.quality),
            "bounds": {name: dict(bound._asdict()) for name, bound in self.bounds.items()},
        }


class Stopwatch(NamedTuple):
    """Where seconds come from, and what is done before they are counted; tests hand in their own."""

    wall: Callable[[], float] = time.perf_counter
    cpu: Callable[[], float] = time.process_time
    settle: Callable[[], object] = gc.collect


def measure(
    cases: Iterable[Case],
    *,
    repeats: int | None = None,
    clock: Stopwatch | None = None,
    told: Callable[[str], None] = lambda text: None,
) -> list[Measured]:
    """Prepare, warm up, then run all cases in turn; `repeats` overrides the cases' own number.

    Raises NotRepeatable where two runs of a case differ in counters or quality.
    """
    clock = clock or Stopwatch()
    runs = [_Runs(case, repeats or case.repeats) for case in cases]
    for run in runs:
        told(f"{run.case.name}: warm-up")
        run.warm_up(clock)
    for turn in range(max((run.repeats for run in runs), default=0)):
        told(f"repeat {turn + 1}")
        for run in runs:
            if turn < run.repeats:
                run.once(clock)
    return [run.result() for run in runs]


class _Runs:
    """The repeats of one case."""

    def __init__(self, case: Case, repeats: int) -> None:
        self.case, self.repeats = case, repeats
        self.work = case.prepare()
        self.walls: list[float] = []
        self.cpus: list[float] = []
        self.sample: Sample | None = None
        self.peak_mib: float | None = None

    def warm_up(self, clock: Stopwatch) -> None:
        """The first run compiles and fills caches; a second one, traced, tells the memory."""
        self._keep(self.work())
        if self.case.memory:
            clock.settle()
            tracemalloc.start()
            try:
                self._keep(self.work())
                self.peak_mib = round(tracemalloc.get_traced_memory()[1] / 2**20, 2)
            finally:
                tracemalloc.stop()

    def once(self, clock: Stopwatch) -> None:
        clock.settle()
        wall, cpu = clock.wall(), clock.cpu()
        sample = self.work()
        self.walls.append(clock.wall() - wall)
        self.cpus.append(clock.cpu() - cpu)
        self._keep(sample)

    def _keep(self, sample: Sample) -> None:
        if self.sample is not None and sample != self.sample:
            raise NotRepeatable(
                f"two runs differ: {self.sample} and {sample}",
                case=self.case.name,
                hint="Give the case a seed, and state of its own in every run.",
            )
        self.sample = sample

    def result(self) -> Measured:
        assert self.sample is not None
        return Measured(
            self.case.name, self.repeats, Spread.of(self.walls), Spread.of(self.cpus), self.peak_mib,
            self.sample, self.case.unit, self.case.bounds,
        )  # fmt: skip


def report(suite: str, measured: Sequence[Measured]) -> dict[str, Any]:
    """The report of a suite as JSON values."""
    return {
        "schema": SCHEMA,
        "suite": suite,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": versions(),
        "process_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "cases": {item.name: item.as_json() for item in measured},
    }


def versions() -> dict[str, str]:
    """What was measured, and on what."""
    found = {
        "halfhour": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "processor": _processor(),
    }
    for name in ("numpy", "numba", "ortools"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _commit() -> str:
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=10"],
            cwd=Path(__file__).parent, capture_output=True, check=True, text=True,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()
