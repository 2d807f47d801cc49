"""The wheel's one package: what the build renames, and what it leaves alone."""

from __future__ import annotations

import compileall
import importlib.util
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.architecture.sources import ROOT


@pytest.fixture(scope="module")
def build() -> Any:
    """The build hook, which lies beside pyproject.toml and not in a package."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("from dispatch.model import Order", "from halfhour._dispatch.model import Order"),
        ("    from dispatch import model", "    from halfhour._dispatch import model"),
        ("import dispatch.model", "import halfhour._dispatch.model"),
        ('run("-m", "dispatch.model")', 'run("-m", "halfhour._dispatch.model")'),
        ("dispatch.model.Order", "halfhour._dispatch.model.Order"),
        ("self.dispatch.model", "self.dispatch.model"),
        ("dispatch.order_id", "dispatch.order_id"),
        ("from halfhour import replay", "from halfhour import replay"),
    ],
)
def test_mentions_of_inner_modules_follow(build: Any, text: str, made: str) -> None:
    assert build.renamed(text, {"dispatch.model"}) == made


def test_the_whole_house_can_be_renamed(build: Any, tmp_path: Any) -> None:
    build.write_renamed(ROOT, tmp_path)
    assert compileall.compile_dir(str(tmp_path), quiet=1)
    left = [
        f"{path.relative_to(tmp_path)}: {line.strip()}"
        for path in tmp_path.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(from|import) (api|dispatch|routing|sim)\b", line)
    ]
    assert left == []
    program = (
        "import halfhour, sys; halfhour.solve, halfhour.replay\n"
        "print([name for name in sys.modules if name.startswith(('routing', 'dispatch'))])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.strip() == "[]", done.stderr
