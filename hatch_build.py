"""Build the wheel with one top-level package: `api`, `dispatch`, `routing` and `sim` become parts of `halfhour`.

In a checkout the packages stand side by side, as they are thought and tested.  Installed, names like `api` would take
the place of the user's own, so a wheel holds them as `halfhour._api` and so on, and every mention of a module follows.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FACE = "halfhour"
INNER = ("api", "dispatch", "routing", "sim")
_MENTION = re.compile(rf"(?<![\w.])(?:{'|'.join(INNER)})(?:\.\w+)+")
_FROM = re.compile(rf"^(\s*from )({'|'.join(INNER)})( import )", flags=re.MULTILINE)


class OnePackage(BuildHookInterface):  # type: ignore[type-arg]
    """Writes the renamed sources into a scratch folder and hands that to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Do nothing for an editable installation: that uses the checkout as it is."""
        if version == "editable":
            return
        self._scratch = tempfile.TemporaryDirectory(prefix="halfhour-wheel-")  # goes with this hook
        scratch = Path(self._scratch.name)
        write_renamed(Path(self.root), scratch)
        build_data["force_include"][str(scratch / FACE)] = FACE


def write_renamed(root: Path, target: Path) -> None:
    """Write the sources under `root` as one package `halfhour` into `target`."""
    modules = {name for top in (FACE, *INNER) for name in _modules(root, top)}
    for top in (FACE, *INNER):
        for source in sorted((root / top).rglob("*")):
            if source.is_dir() or "__pycache__" in source.parts:
                continue
            inside = source.relative_to(root / top)
            made = target / FACE / inside if top == FACE else target / FACE / f"_{top}" / inside
            made.parent.mkdir(parents=True, exist_ok=True)
            if source.suffix == ".py":
                made.write_text(renamed(source.read_text(encoding="utf-8"), modules), encoding="utf-8")
            else:
                made.write_bytes(source.read_bytes())


def renamed(text: str, modules: set[str]) -> str:
    """A source in which every mention of an inner module names its place inside `halfhour`."""

    def inside(match: re.Match[str]) -> str:
        words = match[0].split(".")
        known = any(".".join(words[:cut]) in modules for cut in range(2, len(words) + 1))
        return f"{FACE}._{match[0]}" if known else match[0]

    return _FROM.sub(rf"\1{FACE}._\2\3", _MENTION.sub(inside, text))


def _modules(root: Path, top: str) -> set[str]:
    paths = (path.relative_to(root).with_suffix("") for path in (root / top).rglob("*.py"))
    return {".".join(path.parts).removesuffix(".__init__") for path in paths}
