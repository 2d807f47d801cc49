"""Kernels that a person can read: short, few arguments, and a drawing where one has to be longer or wider."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.sources import Source, modules, parse

LONGEST_KERNEL = 80
MOST_ARGUMENTS = 9

ONE_PASS = "one pass in the order of the route: every piece would hand on all running sums"
BARE_ARRAYS = "called once for many points with the arrays as they are held: a tuple would be made for it alone"

EXCEPTIONS = {
    ("routing/plans/coverage/kernels/coverage.py", "choose_moves"): BARE_ARRAYS,
    ("routing/plans/coverage/kernels/coverage.py", "gains_of"): BARE_ARRAYS,
    ("routing/plans/general/kernels/hard_windows.py", "best_plain"): ONE_PASS,
    ("routing/problem/kernels/timeline.py", "time_vehicle"): ONE_PASS,
    ("routing/roads/kernels/direct.py", "shorten_direct"): BARE_ARRAYS,
    ("routing/roads/kernels/dissection.py", "least_cut"): BARE_ARRAYS,
    ("routing/roads/kernels/join.py", "gather_rows"): BARE_ARRAYS,
    ("routing/roads/kernels/join.py", "join_rows"): BARE_ARRAYS,
    ("routing/roads/kernels/snapping.py", "snap_candidates"): BARE_ARRAYS,
    ("routing/roads/kernels/snapping.py", "snap_points"): BARE_ARRAYS,
}
"""Why a kernel is longer or takes more; the docstring of its module or its own has a drawing."""


def kernels() -> list[Source]:
    """Modules of kernels."""
    return [source for source in modules() if "/kernels/" in source.path]


def demanding(source: Source) -> set[str]:
    """Functions of a module of kernels that are too long or take too much."""
    return {
        node.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef)
        and (
            (node.end_lineno or 0) - node.lineno + 1 > LONGEST_KERNEL
            or len(node.args.args) + len(node.args.kwonlyargs) > MOST_ARGUMENTS
        )
    }


def has_drawing(source: Source, name: str) -> bool:
    """Whether the docstring of the module or of the function holds two lines of strokes, dots or wide columns."""
    named = [node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef) and node.name == name]
    texts = [ast.get_docstring(node, clean=False) or "" for node in (source.tree, *named)]
    return any(len(re.findall(r"^.*(?:--|[|]|\. \.|\S {3,}\S.* {3,}\S).*$", text, re.MULTILINE)) >= 2 for text in texts)


@pytest.mark.parametrize("source", kernels(), ids=lambda source: source.path)
def test_a_kernel_fits_a_person(source: Source) -> None:
    excepted = {name for path, name in EXCEPTIONS if path == source.path}
    assert demanding(source) == excepted
    assert [name for name in excepted if not has_drawing(source, name)] == []


def test_exceptions_name_modules_that_exist() -> None:
    assert {path for path, _ in EXCEPTIONS} <= {source.path for source in kernels()}
    assert len(EXCEPTIONS) <= 10


def test_long_and_wide_kernels_are_seen() -> None:
    long = "def long(a):\n" + "    a += 1\n" * LONGEST_KERNEL
    wide = f"def wide({', '.join(f'a{k}' for k in range(MOST_ARGUMENTS + 1))}):\n    return a0\n"
    source = parse("routing/kernels/x.py", f'"""A line.\n\n    o--o\n    o--o\n"""\n\n{long}\n\n{wide}')
    assert demanding(source) == {"long", "wide"}
    assert has_drawing(source, "long")
    assert not has_drawing(parse("routing/kernels/x.py", f'"""A line -- no more."""\n\n{long}'), "long")
