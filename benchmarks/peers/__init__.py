"""Solvers side by side: each in a process of its own, on one thread, with one wall budget, judged by our evaluator.

A peer is a module with `solve(question) -> Plan`: it translates the Problem into its own words, searches for the
budget and gives back routes.  `ask` runs it; nobody is believed, whatever they say their plan costs.
"""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from routing.errors import HalfhourError
from routing.problem.problem import Problem, Rows, Travel

PEERS = ("halfhour", "vroom", "pyvrp", "ortools")
MODULES = {name: f"benchmarks.peers.with_{name}" for name in PEERS}

VISITS = f"{__name__}.visits"
"""Where a peer's `with_NAME` reads a file of customers."""

GRACE_S = 900.0
"""A peer that does not answer this long after its budget is stopped; its first run may have to compile."""

UNLIMITED_S = 4 * 3600.0
"""A peer that ends by itself is stopped after so long: VROOM takes an hour or two for 1,000 orders."""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class PeerFailed(HalfhourError):
    """A peer ended without an answer."""

    code = "peer_failed"


class Question(NamedTuple):
    """What a peer is given.  `seconds` None: until it ends by itself; `options` are the peer's own."""

    problem: Problem
    travel: Travel
    seconds: float | None
    seed: int
    fleet: bool
    """Vehicles come before everything else."""
    clock: Literal["wall", "cpu"] = "wall"
    """What `seconds` count.  On a machine that others use too only CPU seconds compare solvers fairly."""
    options: tuple[tuple[str, Any], ...] = ()

    def option(self, name: str, default: Any) -> Any:
        """One of the peer's own options."""
        return dict(self.options).get(name, default)

    @property
    def now(self) -> Callable[[], float]:
        """The clock itself."""
        return time.process_time if self.clock == "cpu" else time.perf_counter


class Answer(NamedTuple):
    """What came back: routes, and the seconds of its search (wall and CPU), loading and translating left out."""

    rows: Rows
    wall_s: float
    cpu_s: float


def ask(peer: str, question: Question) -> Answer:
    """Run a peer in a process of its own; raises PeerFailed with the end of what it said."""
    longest = UNLIMITED_S if question.seconds is None else GRACE_S + 10 * question.seconds
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.peers", peer], input=pickle.dumps(question), capture_output=True,
            env={**os.environ, **ONE_THREAD}, timeout=longest,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise PeerFailed(f"{peer} gave no answer in {longest:.0f} s") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
        raise PeerFailed(f"{peer} failed: {' / '.join(said)}")
    answer: Answer = pickle.loads(done.stdout)  # our own child wrote it
    return answer


def timed(search: Callable[[], Any]) -> tuple[Any, float, float]:
    """What a search returns, and its wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = search()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def share_of_processor(spin_s: float = 0.2) -> float:
    """How much of a processor this process gets just now, at most 1."""
    wall, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < spin_s:
        pass
    return max(0.05, min(1.0, (time.process_time() - cpu) / (time.perf_counter() - wall)))


def solver_of(peer: str, question: Question) -> Callable[[Question], Answer]:
    """What answers a question for a peer: its module, or for a file of customers `visits`."""
    if question.option("file", ""):
        own: Callable[[Question], Answer] = getattr(importlib.import_module(VISITS), f"with_{peer}")
        return own
    solve: Callable[[Question], Answer] = importlib.import_module(MODULES[peer]).solve
    return solve
