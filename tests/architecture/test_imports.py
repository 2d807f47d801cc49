"""Who may import whom: every import of every module is read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture import rules
from tests.architecture.sources import ROOT, imports_of, modules, parse


@pytest.mark.parametrize("source", modules(), ids=lambda source: source.path)
def test_imports_follow_the_order_of_the_house(source):
    assert rules.import_complaints(source) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("routing/x.py", "import dispatch.model"),
        ("routing/x.py", "def f():\n    from sim import heap"),
        ("dispatch/x.py", "from api.application import app"),
        ("sim/x.py", "import api"),
        ("api/x.py", "from sim.replay.replay import run"),
        ("routing/plans/x.py", "import numba"),
        ("dispatch/x.py", "from ortools.graph.python import min_cost_flow"),
        ("routing/x.py", "import h3.api.numpy_int as h3"),
        ("dispatch/x.py", "from shapely import Polygon"),
        ("sim/x.py", "import importlib\nimportlib.import_module('fastapi')"),
        ("api/x.py", "import psycopg"),
        ("halfhour/x.py", "import tests.naive"),
        ("routing/plans/x.py", "from ...dispatch import model"),
    ],
)
def test_a_breach_is_seen(path, text):
    assert rules.import_complaints(parse(path, text))


def test_relative_imports_are_made_absolute():
    (item,) = imports_of(parse("routing/plans/x.py", "from ..places import PlaceBook"))
    assert item.module == "routing.places"


def test_help_imports_nothing_heavy():
    """`halfhour --help` answers at once: numbers and servers are imported by the verbs that use them."""
    heavy = ["numba", "ortools", "pandas", "numpy", "fastapi", "pydantic", "shapely", "osmnx", "matplotlib"]
    program = (
        "import sys, halfhour\n"
        "from halfhour.commands import main\n"
        "sys.argv = ['halfhour', '--help']\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        f"print('HEAVY', [name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "HEAVY []"
