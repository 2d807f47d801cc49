"""The lane: each mutant in a copy of the checkout; first its room's tests, then those that run its line, then all.

A test that fails without the mutant as well says nothing: whatever kills a mutant is asked again without it.
"""

from __future__ import annotations

import compileall
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any, NamedTuple

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
NOTHING_ALIKE = {"api/http/belonging.py": ["tests/api/access"]}
"""Modules whose tests lie in another room than their name says."""
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


class Said(NamedTuple):
    """What pytest said: its exit status (None where it did not end in time) and the tests that failed."""

    status: int | None
    failed: tuple[str, ...] = ()


Run = Callable[..., Said]
"""Runs pytest in a folder: (folder, words, more environment)."""


def covered(root: Path, data: Path, run: Run) -> Path:
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


def room_of(path: str, root: Path) -> list[str]:
    """Where a module's own tests lie: files named after it, then the folder that mirrors its own, or the one above."""
    module = Path(path)
    stem = module.stem if module.stem != "__init__" else module.parent.name
    top = root / "tests" / module.parts[0]
    named = sorted(file.relative_to(root).as_posix() for file in top.rglob(f"test_{stem}.py"))
    parts = [part for part in module.parent.parts if part != "kernels"]
    while parts and not any((root / "tests").joinpath(*parts).glob("**/test_*.py")):
        parts.pop()
    return [*named, *NOTHING_ALIKE.get(path, []), "/".join(["tests", *parts])]


def judged(
    mutant: Mutant, root: Path, copy: Path, near: Sequence[list[str]], run: Run, *, is_last: bool = True
) -> dict[str, Any] | None:
    """What became of one mutant, and the test that noticed it: `near` are lists of pytest's words, asked in turn.

    None where none of them notices it and others are still to be asked (`is_last` false).
    """
    original = (root / mutant.path).read_text(encoding="utf-8")
    found: dict[str, Any] = {"name": mutant.name, "text": mutant.edit.text}
    for words in near:
        by = killer(mutant, original, copy, words, run)
        if by is not None:
            return found | {"outcome": "killed", "by": by}
    return found | {"outcome": "survived"} if is_last else None


def killer(mutant: Mutant, original: str, copy: Path, words: list[str], run: Run) -> str | None:
    """The test among these that fails with the mutant alone; `time` where only the mutant never ends."""
    file = copy / mutant.path
    # A kernel's own lines run as plain Python: compiled anew they would cost minutes.
    more = {"NUMBA_DISABLE_JIT": "1"} if "/kernels/" in mutant.path else {}
    excused: list[str] = []
    while True:
        file.write_text(applied(original, mutant.edit), encoding="utf-8")
        try:
            said = run(copy, ["-x", *words, *excused], more)
        finally:
            file.write_text(original, encoding="utf-8")
        if said.status is None:
            return "time" if run(copy, ["-x", *words, *excused], more).status is not None else None
        if said.status == 0 or not said.failed:
            return None if said.status in (0, 5) else "collection"
        by = said.failed[0]
        if run(copy, [by], more).status == 0:
            return by
        excused += ["--deselect", by]


def pytest_in(folder: Path, words: list[str], more: dict[str, str], *, limit_s: float = 2_400.0) -> Said:
    """What pytest says to these words; the examples of property tests are the same every time."""
    environment = {
        **os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_PROFILE": "ci", **more,
    }  # fmt: skip
    command = [
        sys.executable, "-m", "pytest", "-q", "--no-header", "-rfE", "-p", "no:cacheprovider", "--assert=plain", *words,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, check=False, timeout=limit_s, text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Said(None)
    return Said(done.returncode, tuple(FAILED.findall(done.stdout)))


def copied(root: Path, folder: Path) -> Path:
    """A copy of the checkout to break things in, at the same place each time: kernels are compiled there once."""
    copy = folder / "checkout"
    if copy.exists():
        shutil.rmtree(copy)
    shutil.copytree(root, copy, ignore=IGNORED)
    # Byte code that is checked against its source by what it says: a mutant's module alone is compiled anew.
    compileall.compile_dir(copy, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
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
