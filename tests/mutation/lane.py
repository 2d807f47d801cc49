"""The lane: each mutant in a copy of the checkout, first against the tests that run its line, then against all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from coverage import CoverageData

from tests.mutation.mutants import Mutant, applied

MOST_TESTS = 400
"""Tests named on one command line; a line that more run is seen by the first of them or by the whole suite."""
IGNORED = shutil.ignore_patterns(
    ".git",
    ".venv*",
    "__pycache__",
    "runs",
    "build",
    "*.egg-info",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
)


def covered(root: Path, data: Path, run: Callable[..., int]) -> Path:
    """The lines that each test runs, taken once: the suite under coverage, one context a test."""
    if not data.exists():
        packages = [f"--cov={name}" for name in ("api", "dispatch", "halfhour", "routing", "sim")]
        run(root, ["-n", "2", *packages, "--cov-context=test", "--cov-report="], {"COVERAGE_FILE": str(data)})
    return data


def tests_of(mutant: Mutant, root: Path, data: Path) -> list[str]:
    """The tests that run a mutant's line, by their pytest names."""
    known = CoverageData(str(data))
    known.read()
    contexts = known.contexts_by_lineno(str((root / mutant.path).resolve()))
    names = {
        context.split("|", 1)[0]
        for line in range(mutant.edit.line, mutant.edit.end_line + 1)
        for context in contexts.get(line, [])
        if "::" in context
    }
    return sorted(names)[:MOST_TESTS]


def folder_of_kernel(path: str) -> str:
    """The tests of a kernel's package: they run its lines as plain Python."""
    rooms = (f"routing/{room}/" for room in ("plans", "problem", "roads"))
    return next((f"tests/{room[:-1]}" for room in rooms if path.startswith(room)), "tests/routing")


def judged(
    mutant: Mutant, root: Path, copy: Path, data: Path, run: Callable[..., int], *, whole: bool = True
) -> dict[str, Any] | None:
    """What became of one mutant: killed by the tests of its line, by the suite, or survived.

    Without `whole` the tests of its line alone are asked: None where they say nothing.
    """
    file = copy / mutant.path
    original = (root / mutant.path).read_text(encoding="utf-8")
    found: dict[str, Any] = {"name": mutant.name, "text": mutant.edit.text}
    file.write_text(applied(original, mutant.edit), encoding="utf-8")
    try:
        in_kernel = "/kernels/" in mutant.path
        interpreted = {"NUMBA_DISABLE_JIT": "1"} if in_kernel else {}
        near = [folder_of_kernel(mutant.path)] if in_kernel else tests_of(mutant, root, data)
        found["near"] = len(near)
        if near and run(copy, ["-x", *near], interpreted) == 1:
            return found | {"outcome": "killed", "by": "near"}
        if not whole and not in_kernel:
            return None
        seen = not in_kernel and run(copy, ["-x", "-n", "2"], {}) == 1
        return found | ({"outcome": "killed", "by": "suite"} if seen else {"outcome": "survived"})
    finally:
        file.write_text(original, encoding="utf-8")


def pytest_in(folder: Path, words: list[str], more: dict[str, str], *, limit_s: float = 3_600.0) -> int:
    """Pytest's exit status for these words; a run that does not end in time counts as a failure that was seen."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **more}
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *words]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, check=False, timeout=limit_s,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 1
    return done.returncode


def copied(root: Path, scratch: Path) -> Path:
    """A copy of the checkout to break things in."""
    copy = scratch / "checkout"
    shutil.copytree(root, copy, ignore=IGNORED)
    return copy


def read(path: Path) -> list[dict[str, Any]]:
    """Results so far, one a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def summary(results: Iterable[dict[str, Any]], equivalent: dict[str, str]) -> dict[str, int]:
    """How many were killed, survived, or change nothing that can be seen (each with a reason in equivalent.toml)."""
    counts = {"killed": 0, "survived": 0, "equivalent": 0}
    for result in results:
        if result["outcome"] == "survived" and result["name"] in equivalent:
            counts["equivalent"] += 1
        elif result["outcome"] in counts:
            counts[result["outcome"]] += 1
    return counts
