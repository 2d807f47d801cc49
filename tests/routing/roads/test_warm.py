"""The warm-up reaches every road kernel, so that none compiles in front of a customer."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys
from pathlib import Path

from routing.roads import kernels


def test_warm_up_compiles_every_kernel() -> None:
    callers = "".join(
        path.read_text()
        for path in (
            path for path in sorted(Path(kernels.__file__).parents[1].glob("**/*.py")) if "kernels" not in path.parts
        )
    )
    names = [f"{kernels.__name__}.{found.name}" for found in pkgutil.iter_modules(kernels.__path__)]
    assert len(names) >= 8
    program = (
        "import importlib\n"
        "from routing.roads.city.warm import warm_up_roads\n"
        "warm_up_roads()\n"
        f"for name in {names!r}:\n"
        "    module = importlib.import_module(name)\n"
        "    for key, value in vars(module).items():\n"
        "        if hasattr(value, 'signatures') and value.__module__ == name:\n"
        "            print(key, len(value.signatures))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    compiled = dict(line.split() for line in done.stdout.splitlines())
    # Kernels that only other kernels call are compiled into those.
    called = {name for name in compiled if re.search(rf"\b{name}\(", callers)}
    assert len(called) >= 12
    assert {name for name in called if compiled[name] == "0"} == set()
