"""The house: floors of rooms, no import by a detour, rooms and modules that a person can take in."""

from __future__ import annotations

import ast
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import pytest

from tests.architecture.sources import ROOT, Source, committed, everything, imports_of, modules, parse

FLOORS: dict[str, list[set[str]]] = {
    "routing": [
        {"cells", "errors", "kernels"},
        {"answers", "moved_places", "places", "problem", "roads.kernels", "plans.coverage", "plans.budget"},
        {"travel", "roads", "plans.planner", "plans.before", "plans.understood"},
        {"asked_travel", "roads.source", "plans.general", "plans.outcome"},
        {"roads.turns", "roads.traffic", "plans.ortools"},
        {"roads.hierarchy", "plans.trips"},
        {"roads.snapping", "plans.plan"},
        {"roads.city"},
        {"roads.traces"},
    ],
    "dispatch": [
        {"ways"},
        {"calendar", "errors", "model", "version"},
        {"people"},
        {"inputs", "lifecycle", "promise", "settings"},
        {"bounds", "events"},
        {"codec", "custody", "event_handlers", "receipts"},
        {"board"},
        {"alternatives"},
        {"rounds"},
        {"engine", "fees", "policies"},
        {"record"},
    ],
    "sim": [{"heap", "mdrp", "scenario"}, {"invent", "sources", "world"}, {"replay"}],
    "api": [
        {"common", "config"},
        {"ledger", "observe"},
        {"access", "solver"},
        {"matrix", "outbox"},
        {"live"},
        {"http"},
        {"console", "lifespan"},
        {"application"},
    ],
    "halfhour": [
        {"on_roads", "travel"},
        {"client", "lab.statistics", "live", "policies", "promising", "report", "solving", "streets", "terminal"},
        {"comparing", "compiling", "modelling", "replaying", "robots"},
        {"synthetic"},
        {"lab"},
        {"commands"},
        {"__main__"},
    ],
    "benchmarks": [
        {"harness", "inputs", "lengths", "peers", "resumable"},
        {"gate", "paper", "policies", "prove", "small"},
        {"__main__", "published"},
        {"days", "lab", "live", "promises", "roads"},
        {"cases", "kinds"},
    ],
}
"""Rooms of each package from the ground up: a room imports only from floors below its own (docs/architecture.md)."""

FACES = {"halfhour", "routing.roads", "benchmarks"}
"""Packages whose `__init__` shows what lies inside; they stand on top of it."""

MOST_MODULES, MOST_ROUTES = 12, 15
LARGER_ROOMS = {"api/http/routes", "halfhour/commands", "tests/api/http/routes"}

LONGEST_MODULE, LONGEST_FUNCTION = 350, 60
LONGER_MODULES = {
    "api/ledger/sqlite/reader.py": "one class, one method for each question that is asked of a ledger",
    "api/live/host.py": "one market: everything that its host is asked, in one place",
    "dispatch/board/board.py": "one fold: every event that changes a board",
    "dispatch/events.py": "a vocabulary: every fact of a board",
    "dispatch/inputs.py": "a vocabulary: everything that can be said to the engine",
    "halfhour/robots/city.py": "one class that lives a day behind HTTP",
    "routing/roads/city/network.py": "the face of a road network: each of its questions, passed on",
    "sim/sources/folder.py": "one format: every file of a scenario folder",
    "sim/world/city.py": "one class: a rider's life from event to event",
}
"""Modules over 350 lines, each with its reason."""
LONGER_FUNCTIONS = {
    ("routing/problem/build.py", "make_problem"),  # one argument for each field of a Problem
}
SHARED_NAMES = {"CursorGone", "Delivery", "Dropoff", "Event", "LatLng"}
"""Class names used twice: the client says in its own types what the service says in its own."""


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


def floor_of(name: str) -> int | None:
    """The floor of a module's room within its package; None of what is no room's."""
    top, _, inside = name.partition(".")
    floors = FLOORS.get(top, [])
    while inside:
        for number, rooms in enumerate(floors):
            if inside in rooms:
                return number
        inside = inside.rpartition(".")[0]
    return None


def room_of(name: str) -> str:
    """The room that a module belongs to: the longest name among FLOORS that it begins with."""
    top, _, inside = name.partition(".")
    rooms = set().union(*FLOORS.get(top, []))
    while inside and inside not in rooms:
        inside = inside.rpartition(".")[0]
    return f"{top}.{inside}"


def climbing(graph: Mapping[str, set[str]]) -> list[str]:
    """Imports from a room on the same floor or above."""
    return [
        f"{name} (floor {floor_of(name)}) imports {other} (floor {floor_of(other)})"
        for name, others in sorted(graph.items())
        for other in sorted(others)
        if "." in other and not {name, other} & FACES and name.partition(".")[0] == other.partition(".")[0]
        if room_of(name) != room_of(other)
        and (floor_of(other) is None or (floor_of(name) or 0) <= (floor_of(other) or 0))
    ]


def test_no_module_imports_itself_by_a_detour():
    assert cycles(graph_of(named(everything()))) == []


def test_a_cycle_is_seen():
    one = parse("a/x.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import y")
    two = parse("a/y.py", "def f():\n    from a.x import g")
    assert cycles(graph_of(named((one, two)))) == [["a.x", "a.y"]]


def test_every_module_has_its_floor():
    homeless = [
        name
        for name, source in named(everything()).items()
        if source.package in FLOORS and floor_of(name) is None and not source.path.endswith("__init__.py")
    ]
    assert homeless == []


def test_rooms_import_only_from_the_floors_below():
    assert climbing(graph_of(named(everything()))) == []


def test_a_climbing_import_is_seen():
    low = parse("api/ledger/x.py", "from api.live.host import LiveHost")
    high = parse("api/live/host.py", "from api.ledger import x")
    assert climbing(graph_of(named((low, high)))) == ["api.ledger.x (floor 1) imports api.live.host (floor 4)"]


def test_the_service_has_few_floors():
    assert len(FLOORS["api"]) <= 8


def test_a_room_holds_what_one_can_take_in():
    # Examples are a gallery: each stands for itself.
    house = [path for path in committed() if path.endswith(".py") and not path.startswith("examples/")]
    rooms = Counter(str(PurePosixPath(path).parent) for path in house)
    inits = {str(PurePosixPath(path).parent) for path in house if path.endswith("/__init__.py")}
    crowded = {
        room: count - (room in inits)
        for room, count in rooms.items()
        if count - (room in inits) > (MOST_ROUTES if room in LARGER_ROOMS else MOST_MODULES)
    }
    assert crowded == {}


@pytest.mark.parametrize("source", everything(), ids=lambda source: source.path)
def test_a_module_fits_a_person(source):
    lines = source.text.count("\n")
    assert (lines > LONGEST_MODULE) == (source.path in LONGER_MODULES), f"{lines} lines"
    if "/kernels/" in source.path:
        return
    long = [
        (source.path, node.name)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert [one for one in long if one not in LONGER_FUNCTIONS] == []


def test_exceptions_are_few():
    assert len(LONGER_MODULES) + len(LONGER_FUNCTIONS) <= 10


def test_a_class_name_means_one_thing():
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for source in everything():
        if source.package == "tests":
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                homes[node.name].add(source.path)
    assert {name for name, paths in homes.items() if len(paths) > 1} == SHARED_NAMES


def test_a_private_name_stays_in_its_module():
    borrowed = [
        f"{item} {name}"
        for source in modules()
        for item in imports_of(source)
        for name in item.names
        if name.startswith("_") and not name.startswith("__") and item.top in FLOORS
    ]
    assert borrowed == []


@pytest.mark.parametrize(
    "path",
    [path for path in committed() if path.endswith((".py", ".md", ".js", ".html", ".toml")) and path != "CHANGELOG.md"],
)
def test_a_rider_is_they(path):
    if path == "tests/architecture/test_house.py" or "/golden/" in path:
        return
    text = (ROOT / path).read_text(encoding="utf-8")
    numbered = enumerate(text.splitlines(), 1)
    assert [f"{k}: {line.strip()[:100]}" for k, line in numbered if re.search(r"\b[Hh](e|is|im|imself)\b", line)] == []
