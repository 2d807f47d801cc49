"""routing and dispatch know no clock, no chance and no environment; no set's order gets out."""

from __future__ import annotations

import pytest

from tests.architecture import rules
from tests.architecture.sources import modules, parse

CORE = [source for source in modules() if source.package in ("routing", "dispatch")]
REPEATABLE = [source for source in modules() if source.package in ("routing", "dispatch", "sim")]


@pytest.mark.parametrize("source", CORE, ids=lambda source: source.path)
def test_the_core_is_pure(source):
    assert rules.purity_complaints(source) == []


@pytest.mark.parametrize("source", REPEATABLE, ids=lambda source: source.path)
def test_no_order_of_a_set_gets_out(source):
    assert rules.set_order_complaints(source) == []


@pytest.mark.parametrize(
    "text",
    [
        "import random",
        "from uuid import uuid4",
        "import time\nt = time.monotonic()",
        "from time import perf_counter",
        "import datetime\nx = datetime.datetime.now()",
        "import os\nx = os.environ.get('HOME')",
        "import os\nx = os.environ['HOME']",
        "import numpy as np\nx = np.random.rand(3)",
        "import numpy as np\nx = np.random.default_rng()",
        "print('hello')",
        "key = hash('id')",
    ],
)
def test_impurity_is_seen(text):
    assert rules.purity_complaints(parse("routing/x.py", text))


def test_injected_generators_and_methods_are_pure():
    text = "def draw(rng: np.random.Generator) -> float:\n    console.print('x')\n    return rng.random()\n"
    text += "made = np.random.default_rng(7)"
    assert rules.purity_complaints(parse("dispatch/x.py", text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "for x in {1, 2}: pass",
        "def f(items):\n    seen = set(items)\n    return [x for x in seen]",
        "names = tuple(frozenset(ids))",
        "def f(a, b):\n    left = set(a)\n    return list(left - set(b))",
        "text = ','.join({'a', 'b'})",
        "def f(a):\n    s = {x for x in a}\n    return dict((x, 1) for x in s)",
        "xs = [*{1, 2}]",
    ],
)
def test_an_order_of_a_set_is_seen(text):
    assert rules.set_order_complaints(parse("dispatch/x.py", text))


@pytest.mark.parametrize(
    "text",
    [
        "for x in sorted({2, 1}): pass",
        "def f(items):\n    seen = set(items)\n    return any(x in seen for x in items)",
        "def f(items):\n    seen = set(items)\n    return sum(x for x in seen)",
        "def f(items):\n    seen = set(items)\n    seen = sorted(seen)\n    return list(seen)",
    ],
)
def test_orderless_uses_of_a_set_are_fine(text):
    assert rules.set_order_complaints(parse("dispatch/x.py", text)) == []
