"""Every kind of event that is said has its sentence, in the code and in the documents."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from api.outbox.event_kinds import KINDS, OF_DELIVERIES, TEST
from dispatch.model import OrderState

ROOT = Path(__file__).parents[2]
MAKERS = {"_delivery": ("delivery.", 1), "_rider": ("rider.", 1), "notice": ("", 1), "make": ("", 2)}
"""Functions that name a kind: what stands in front of it, and which argument it is."""


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts that an argument may be; nothing where it is a variable."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def said() -> set[str]:
    """Every kind that the service's code names."""
    found = {f"delivery.{state.value}" for state in OrderState}
    for path in sorted((ROOT / "api").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                front, place = MAKERS.get(name, ("", 99))
                if len(node.args) > place:
                    found |= {front + text for text in _texts(node.args[place]) if front or "." in text}
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 4:
                found |= {text for text in _texts(node.value.elts[1]) if "." in text}
    return found


def test_every_kind_that_is_said_is_listed_and_none_beside() -> None:
    assert said() - {TEST} == set(KINDS)
    assert {kind for kind in KINDS if kind.startswith("delivery.")} == set(OF_DELIVERIES)


def test_every_kind_has_its_row_in_the_document() -> None:
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    rows = [f"| `{kind}` | {sentence} |" for kind, sentence in KINDS.items()]
    assert [row for row in rows if row not in page] == []
    assert f"`{TEST}`" in page
