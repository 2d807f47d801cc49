"""Deliberate errors in a module: where each operator finds something to change, and a seeded draw over lines."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeGuard

BOUNDARY = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
EITHER_WAY = {"max", "min", "maximum", "minimum", "gcd", "allclose", "array_equal"}
"""What says the same whichever argument comes first."""
OPPOSITE = {ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in"}


class Edit(NamedTuple):
    """One change of a source: a span of it by line (from 1) and byte column, and what stands there instead."""

    operator: str  # boundary, negation, off_by_one, dropped, swapped
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


class Mutant(NamedTuple):
    """A module with one edit."""

    path: str
    edit: Edit

    @property
    def name(self) -> str:
        """Path, line and operator: what a list of survivors shows."""
        return f"{self.path}:{self.edit.line}:{self.edit.column} {self.edit.operator}"


def edits_of(source: str) -> list[Edit]:
    """Every edit that an operator finds in a source, in order of place; docstrings and annotations are left alone."""
    tree = ast.parse(source)
    lines = source.split("\n")
    skipped = {id(node) for held in _annotations(tree) for node in ast.walk(held)}
    found = [edit for node in ast.walk(tree) if id(node) not in skipped for edit in _edits(node, lines)]
    return sorted(set(found), key=lambda edit: (edit.line, edit.column, edit.operator))


def applied(source: str, edit: Edit) -> str:
    """The source with one edit; raises SyntaxError where that is no Python."""
    rows = source.split("\n")
    first, last = rows[edit.line - 1].encode(), rows[edit.end_line - 1].encode()
    changed = (first[: edit.column] + edit.text.encode() + last[edit.end_column :]).decode()
    made = "\n".join([*rows[: edit.line - 1], changed, *rows[edit.end_line :]])
    ast.parse(made)
    return made


def drawn(root: Path, paths: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """`count` mutants of these modules: lines drawn evenly and without repetition, then an edit of the line.

    A line is drawn by a digest of the seed, its module and its text: what changes elsewhere leaves the draw as it is.
    """
    by_line: list[tuple[int, str, list[Edit]]] = []
    for path in sorted(paths):
        source = (root / path).read_text(encoding="utf-8")
        text, times = source.split("\n"), Counter[str]()
        lines: dict[int, list[Edit]] = {}
        for edit in edits_of(source):
            lines.setdefault(edit.line, []).append(edit)
        for line, edits in sorted(lines.items()):
            said = text[line - 1].strip()
            times[said] += 1
            lot = hashlib.sha256(f"{seed}\n{path}\n{said}\n{times[said]}".encode()).digest()
            by_line.append((int.from_bytes(lot[:8], "big"), path, edits))
    found: list[Mutant] = []
    for lot, path, edits in sorted(by_line):
        if len(found) == count:
            break
        lawful = [edit for edit in edits if _is_python((root / path).read_text(encoding="utf-8"), edit)]
        if lawful:
            found.append(Mutant(path, lawful[lot % len(lawful)]))
    return found


def _is_python(source: str, edit: Edit) -> bool:
    try:
        applied(source, edit)
    except SyntaxError:
        return False
    return True


def _annotations(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (
                part.annotation for part in ast.walk(node.args) if isinstance(part, ast.arg) and part.annotation
            )
            yield from ([node.returns] if node.returns else [])
            yield from node.decorator_list
        elif isinstance(node, ast.AnnAssign):
            yield node.annotation


def _edits(node: ast.AST, lines: list[str]) -> Iterator[Edit]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        kind = type(node.ops[0])
        word = BOUNDARY.get(kind) or OPPOSITE.get(kind)
        if word is not None:
            operator = "boundary" if kind in BOUNDARY else "negation"
            yield _between(operator, node.left, node.comparators[0], f" {word} ")
    elif isinstance(node, ast.BoolOp) and len(node.values) == 2:
        yield _between("negation", *node.values, " or " if isinstance(node.op, ast.And) else " and ")
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        yield _over("negation", node.test, f"not ({_text(node.test, lines)})")
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield _over("off_by_one", node, str(node.value + 1))
        yield _over("off_by_one", node, f"({node.value - 1})")
    elif _may_be_dropped(node):
        yield _over("dropped", node, "pass")
    if isinstance(node, ast.Call) and len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args[:2]):
        if ast.unparse(node.func).rsplit(".", 1)[-1] in EITHER_WAY:
            return
        one, two = node.args[:2]
        if ast.dump(one) != ast.dump(two):
            yield Edit(
                "swapped", one.lineno, one.col_offset, two.end_lineno or 0, two.end_col_offset or 0,
                f"{_text(two, lines)}, {_text(one, lines)}",
            )  # fmt: skip


def _may_be_dropped(node: ast.AST) -> TypeGuard[ast.stmt]:
    """A call, or a change of what lives on; a name that is never bound would be seen by every test."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await)
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Attribute | ast.Subscript)
    return isinstance(node, ast.AugAssign)


def _over(operator: str, node: ast.expr | ast.stmt, text: str) -> Edit:
    return Edit(operator, node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0, text)


def _between(operator: str, left: ast.expr, right: ast.expr, text: str) -> Edit:
    """In place of what stands between two expressions; brackets around either make the edit no Python, and fall out."""
    return Edit(operator, left.end_lineno or 0, left.end_col_offset or 0, right.lineno, right.col_offset, text)


def _text(node: ast.expr, lines: list[str]) -> str:
    """The source of an expression; columns count bytes."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    rows = [line.encode() for line in lines[first : last + 1]]
    rows[-1] = rows[-1][: node.end_col_offset]
    rows[0] = rows[0][node.col_offset :]
    return b"\n".join(rows).decode()
