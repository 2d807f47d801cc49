"""What `make` says to a newcomer whose machine lacks something."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")


def make(*words):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--no-print-directory", *words], cwd=ROOT, capture_output=True, text=True, check=False, env=clean
    )


def python_that(folder, lines):
    """A stand-in for python3: a shell script that answers as told, and else as this Python."""
    script = folder / "python3"
    script.write_text(f'#!/bin/sh\n{lines}\nexec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    return script


def test_help_names_every_target():
    said = make().stdout
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert {"demo", "test", "lint", "prove"} <= set(targets)
    assert [target for target in targets if f"make {target}" not in said] == []


def test_a_python_without_venv_names_the_package(tmp_path):
    python = python_that(tmp_path, 'case "$2" in *ensurepip*) exit 1;; esac')
    done = make("demo", f"PYTHON={python}", f"VENV={tmp_path}/venv", "UV=")
    assert done.returncode != 0
    assert f"apt-get install python3.{sys.version_info.minor}-venv" in done.stdout
    assert not (tmp_path / "venv").exists()


def test_an_old_python_is_refused_with_a_way_out(tmp_path):
    python = python_that(tmp_path, 'case "$1" in --version) echo "Python 3.9.2"; exit;; esac\nexit 1')
    done = make("test", f"PYTHON={python}", f"VENV={tmp_path}/venv", "UV=")
    assert done.returncode != 0
    assert "Halfhour needs Python 3.11 to 3.13" in done.stdout
    assert "is Python 3.9.2" in done.stdout
