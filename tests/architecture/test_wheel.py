"""The built package, installed in an empty environment away from the checkout: all that it needs is in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dispatch.version import __version__
from tests.architecture.sources import ROOT

pytestmark = pytest.mark.slow


class Installed:
    """A virtual environment with the wheel in it, and nothing of the checkout in reach."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "venv"
        uv = shutil.which("uv")
        wheels = folder / "wheels"
        if uv is not None:
            self._run(uv, "build", "--quiet", "--wheel", "--out-dir", str(wheels), str(ROOT))
            self._run(uv, "venv", "--quiet", "--python", sys.executable, str(self.home))
            install = [uv, "pip", "install", "--quiet", "--python", str(self.home / "bin" / "python")]
        else:
            self._run(sys.executable, "-m", "venv", str(self.home))
            pip = [str(self.home / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
            self._run(*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT))
            install = [*pip, "install"]
        (self.wheel,) = wheels.glob("halfhour-*.whl")
        self._run(*install, str(self.wheel))
        (site,) = self.home.glob("lib/python*/site-packages")
        for name in ("api", "dispatch", "routing", "sim"):  # the user's own, which ours must leave alone
            (site / f"{name}.py").write_text(f"OWNER = 'the user of {name}'\n", encoding="utf-8")

    def _run(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        world = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        done = subprocess.run(words, cwd=self.folder, env=world, capture_output=True, text=True, check=False)
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def halfhour(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """`halfhour WORDS...`, which must end with `status`."""
        return self._run(str(self.home / "bin" / "halfhour"), *words, status=status)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_one_package(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        tops = {name.split("/", 1)[0] for name in wheel.namelist()}
        assert "halfhour/py.typed" in wheel.namelist()
    assert {top for top in tops if not top.endswith(".dist-info")} == {"halfhour"}


def test_the_demo_runs_and_leaves_its_report(installed: Installed) -> None:
    installed.halfhour("demo")
    reports = list(installed.folder.glob("runs/*/report.html"))
    assert len(reports) >= 1 and all("<svg" in report.read_text(encoding="utf-8") for report in reports)


def test_a_day_of_ones_own_is_replayed_and_verified(installed: Installed) -> None:
    size = ("--stores", "8", "--riders", "14", "--orders", "60", "--hours", "0.5")
    installed.halfhour("scenario", "new", "day", *size)
    summary = json.loads(installed.halfhour("replay", "day", "--out", "run", "--json").stdout)
    assert summary["complete"] and summary["orders"] == 60 and summary["versions"]["halfhour"] == __version__
    header = json.loads((installed.folder / "run" / "journal.jsonl").open(encoding="utf-8").readline())
    assert header["code_version"] == __version__
    found = json.loads(installed.halfhour("verify", "run", "--json").stdout)
    assert found["decision_digest"] == summary["decision_digest"]


def test_bench_says_that_it_needs_a_checkout(installed: Installed) -> None:
    said = installed.halfhour("bench", status=2).stderr
    assert "needs_checkout" in said and "Clone the project" in said


def test_the_service_can_be_asked_for_help(installed: Installed) -> None:
    assert "serve" in installed.halfhour("--help").stdout
    assert installed.halfhour("serve", "--help").stdout
    assert installed.halfhour("--version").stdout.strip().endswith(__version__)
