"""The house: no module imports itself by a detour."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from tests.architecture.sources import Source, imports_of, modules, parse

KNOWN = [
    ["api.application", "api.http.openapi"],
    ["routing.plans.general.insert", "routing.plans.general.insertion_prices"],
    ["sim.replay.host", "sim.replay.replay"],
]
"""Cycles that are still to be opened; none may be added."""


def graph_of(sources: Mapping[str, Source]) -> dict[str, set[str]]:
    """Which modules each module imports, by name: inside functions and for type checkers too."""
    graph: dict[str, set[str]] = {}
    for name, source in sources.items():
        graph[name] = set()
        for item in imports_of(source):
            names = [item.module, *(f"{item.module}.{part}" for part in item.names)]
            graph[name] |= {one for one in names if one in sources and one != name}
    return graph


def cycles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other (Tarjan's strongly connected components of more than one)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []
    numbers = itertools.count()

    def visit(start: str) -> None:
        work: list[tuple[str, Iterator[str]]] = [(start, iter(sorted(graph[start])))]
        index[start] = low[start] = next(numbers)
        stack.append(start)
        while work:
            name, others = work[-1]
            for other in others:
                if other not in index:
                    index[other] = low[other] = next(numbers)
                    stack.append(other)
                    work.append((other, iter(sorted(graph[other]))))
                    break
                if other in stack:
                    low[name] = min(low[name], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    group = stack[stack.index(name) :]
                    del stack[-len(group) :]
                    found.extend([sorted(group)] if len(group) > 1 else [])

    for name in graph:
        if name not in index:
            visit(name)
    return found


def named(sources: tuple[Source, ...]) -> dict[str, Source]:
    """Sources by their module's name."""
    return {source.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): source for source in sources}


def test_no_module_imports_itself_by_a_detour():
    assert [group for group in cycles(graph_of(named(modules()))) if group not in KNOWN] == []


def test_a_cycle_is_seen():
    one = parse("a/x.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import y")
    two = parse("a/y.py", "def f():\n    from a.x import g")
    assert cycles(graph_of(named((one, two)))) == [["a.x", "a.y"]]
