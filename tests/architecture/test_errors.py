"""Every error code is explained in docs/errors.md, and nothing is explained that cannot happen."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.sources import ROOT, Source, dotted, modules, parse

PAGE = ROOT / "docs" / "errors.md"
CODE = re.compile(r"[a-z][a-z0-9_]*")


def error_classes() -> set[str]:
    """Names of all exception classes of the project whose errors carry a code."""
    bases = {
        node.name: [dotted(base).rsplit(".", 1)[-1] for base in node.bases]
        for source in modules()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"HalfhourError"}
    while more := {name for name, parents in bases.items() if found.intersection(parents)} - found:
        found |= more
    return found


def codes_of(source: Source, classes: set[str]) -> dict[str, str]:
    """Code -> where it is raised or defined: `code = "..."` in an error class, `code="..."` of a raise."""
    found = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and node.name in classes:
            for statement in node.body:
                value = getattr(statement, "value", None)
                targets = getattr(statement, "targets", [getattr(statement, "target", None)])
                named = any(isinstance(target, ast.Name) and target.id == "code" for target in targets)
                if named and isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found[value.value] = f"{source.path}:{statement.lineno}"
        if isinstance(node, ast.Call) and dotted(node.func).rsplit(".", 1)[-1] in classes:
            for keyword in node.keywords:
                if keyword.arg == "code":
                    for code in _constants(keyword.value):
                        found[code] = f"{source.path}:{node.lineno}"
    return found


def _constants(node: ast.AST) -> list[str]:
    """Text constants of an expression (both arms of `a if x else b`)."""
    if isinstance(node, ast.IfExp):
        return [*_constants(node.body), *_constants(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def all_codes() -> dict[str, str]:
    """Every code of the project and one place where it arises."""
    classes = error_classes()
    found: dict[str, str] = {}
    for source in modules():
        for code, where in codes_of(source, classes).items():
            found.setdefault(code, where)
    return found


def documented() -> set[str]:
    """Codes with a row or heading of their own on the page."""
    rows = re.findall(r"^(?:\|\s*|#+\s*|[-*]\s+)`([a-z0-9_]+)`", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return set(rows)


def test_every_code_is_a_word():
    assert [code for code in all_codes() if not CODE.fullmatch(code)] == []


def test_every_code_is_documented():
    known = documented()
    assert {code: where for code, where in sorted(all_codes().items()) if code not in known} == {}


def test_nothing_is_documented_that_cannot_happen():
    everything = "\n".join(source.text for source in modules())
    assert [code for code in sorted(documented()) if f'"{code}"' not in everything] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('class Lost(InvalidInput):\n    code = "lost"', "lost"),
        ('raise InvalidInput("no", code="bad_thing")', "bad_thing"),
        ('raise errors.InvalidInput("no", code="a" if x else "b")', "b"),
    ],
)
def test_a_code_is_seen(text, code):
    assert code in codes_of(parse("dispatch/x.py", text), {"InvalidInput", "Lost"})
