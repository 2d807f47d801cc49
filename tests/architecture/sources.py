"""The project's own source files, parsed once for all architecture tests."""

from __future__ import annotations

import ast
import functools
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("routing", "dispatch", "sim", "api", "halfhour")


class Source(NamedTuple):
    """One module: its path from the checkout's root, its text, its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The top-level folder."""
        return self.path.split("/", 1)[0]


class Import(NamedTuple):
    """One imported module, by absolute name."""

    source: Source
    line: int
    module: str
    names: tuple[str, ...] = ()

    @property
    def top(self) -> str:
        """The distribution-level name: `numba` of `numba.typed`."""
        return self.module.split(".", 1)[0]

    def __str__(self) -> str:
        return f"{self.source.path}:{self.line} imports {self.module}"


def parse(path: str, text: str) -> Source:
    """A Source from text (tests hand in their own)."""
    return Source(path, text, ast.parse(text, filename=path))


@functools.cache
def modules() -> tuple[Source, ...]:
    """Every module of the installed packages, in order of path."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            found.append(parse(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
    return tuple(found)


@functools.cache
def everything() -> tuple[Source, ...]:
    """Every module of the checkout: the packages, benchmarks and tests."""
    found = list(modules())
    for package in ("benchmarks", "tests"):
        for path in sorted((ROOT / package).rglob("*.py")):
            found.append(parse(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
    return tuple(found)


def imports_of(source: Source) -> list[Import]:
    """Every import in a module, inside functions and TYPE_CHECKING blocks too; relative ones made absolute."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found += [Import(source, node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = source.path.removesuffix(".py").split("/")[: -node.level] if node.level else []
            base = ".".join([*parts, node.module] if node.module else parts)
            found.append(Import(source, node.lineno, base, tuple(alias.name for alias in node.names)))
        elif isinstance(node, ast.Call) and dotted(node.func) in ("importlib.import_module", "import_module"):
            found += [
                Import(source, node.lineno, argument.value)
                for argument in node.args[:1]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ]
    return found


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a chain of attributes, empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


@functools.cache
def committed() -> tuple[str, ...]:
    """Paths of every file under version control (all files, where git cannot tell)."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        skipped = {".git", ".venv", ".venv-min", "runs", "__pycache__"}
        listed = [
            path.relative_to(ROOT).as_posix()
            for path in sorted(ROOT.rglob("*"))
            if path.is_file() and not skipped.intersection(path.relative_to(ROOT).parts)
        ]
    return tuple(path for path in listed if path and (ROOT / path).is_file())
