"""`halfhour bench`: the project's own benchmarks, which live in a checkout and not in the installed package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from routing.errors import Unsupported

EXAMPLE = "halfhour bench --suite quick --compare benchmarks/baseline.json"

ROOT = Path(__file__).resolve().parents[2]


def bench(
    suite: Annotated[str, typer.Option(help="quick or full.")] = "quick",
    only: Annotated[str, typer.Option(help="Only cases with this in their name.")] = "",
    as_data: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the report as JSON.")] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="BASELINE", help="Status 1 where work or quality differs from this report.")
    ] = None,
) -> None:
    """Measure speed, work and quality; needs a checkout of the project."""
    if not (ROOT / "benchmarks" / "__main__.py").is_file():
        raise Unsupported(
            "the benchmarks are not part of the installed package",
            code="needs_checkout",
            hint="Clone the project and run halfhour bench (or make bench) there.",
        )
    words = ["--suite", suite]
    for name, value in (("--only", only), ("--json", as_data), ("--compare", compare)):
        if value:
            words += [name, str(Path(value).resolve()) if isinstance(value, Path) else value]
    done = subprocess.run([sys.executable, "-m", "benchmarks", *words], cwd=ROOT, check=False)
    raise typer.Exit(done.returncode)
