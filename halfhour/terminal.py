"""What every command shares: one message for an error, JSON alone on standard output, progress only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from routing.errors import HalfhourError, InvalidInput, UnreadableFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

BAD_INPUT = 2
"""Exit status of everything a person can mend."""
INCOMPLETE = 3
"""Exit status where something was written that does not hold everything."""


def console(*, stderr: bool = False) -> Console:
    """A rich console on standard output (or standard error)."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON value alone on standard output, keys in their given order."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def explain(problem: HalfhourError) -> str:
    """An error as one message: where, what, what to do, and its code."""
    details = dict(problem.details)
    file, line, name = details.pop("file", None), details.pop("line", None), details.pop("field", None)
    where = ", ".join(
        part
        for part in (
            str(file) if file is not None else "",
            f"line {line}" if line is not None else "",
            f"field {name}" if name is not None and str(name) not in problem.message else "",
        )
        if part
    )
    message = f"{where}: {problem.message}" if where else problem.message
    rest = ", ".join(f"{key} {value}" for key, value in details.items())
    if rest:
        message += f" ({rest})"
    if not message.endswith((".", "!", "?")):
        message += "."
    if problem.hint:
        message += f" {problem.hint}"
    return f"Error: {message} [{problem.code}]"


class ProgressBar:
    """A bar that moves on a terminal and does nothing elsewhere."""

    def __init__(self, bar: Any, task: Any) -> None:
        self._bar = bar
        self._task = task

    def __call__(self, done: float, total: float, note: str = "") -> None:
        """Show `done` of `total`; `note` stands behind the bar."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=max(total, 1e-9), note=note)

    def pulse(self, note: str) -> None:
        """Show that it goes on, where nobody knows how long."""
        if self._bar is not None:
            self._bar.update(self._task, total=None, note=note)


@contextmanager
def progress(title: str, *, quiet: bool = False) -> Iterator[ProgressBar]:
    """A progress bar on standard error if that is a terminal (and `quiet` is false)."""
    if quiet or not sys.stderr.isatty():
        yield ProgressBar(None, None)
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Bar(
        *columns, TextColumn("{task.fields[note]}"), TimeElapsedColumn(), console=console(stderr=True), transient=True
    ) as bar:
        yield ProgressBar(bar, bar.add_task(title, total=1.0, note=""))


def text_or_file(value: str) -> str:
    """A setting's value; of `@FILE` what the file says, its lines parted by semicolons and without remarks (#)."""
    if not value.startswith("@"):
        return value
    path = Path(value[1:])
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise UnreadableFile(f"cannot be read: {problem}", file=str(path), hint="@FILE is a file's text.") from problem
    clauses = (line.partition("#")[0].strip().strip(";").strip() for line in lines)
    return "; ".join(filter(None, clauses))


def read_points(file: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points from a CSV file with the columns lat and lng, and where one stops for them, float64[k, 2] each.

    The second: of the columns access_lat and access_lng, NaN where they say nothing.  Raises UnreadableFile,
    InvalidInput.
    """
    import csv

    import numpy as np

    points, access = [], []
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.DictReader(text)
            if not {"lat", "lng"} <= set(reader.fieldnames or ()):
                raise InvalidInput("the points need the columns lat and lng", code="invalid_points", file=str(file))
            for row in reader:
                points.append(_point(row["lat"], row["lng"], file=str(file), line=reader.line_num))
                given = row.get("access_lat"), row.get("access_lng")
                nowhere = (np.nan, np.nan)
                access.append(_point(*given, file=str(file), line=reader.line_num) if any(given) else nowhere)
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"the points cannot be read: {error}", file=str(file)) from error
    return tuple(np.array(each, dtype=np.float64).reshape(-1, 2) for each in (points, access))  # type: ignore[return-value]


def parse_point(text: str, option: str) -> tuple[float, float]:
    """A point written as lat,lng.  Raises InvalidInput."""
    lat, _, lng = text.partition(",")
    return _point(lat, lng, field=option)


def _point(lat: str | None, lng: str | None, **where: Any) -> tuple[float, float]:
    try:
        return float(lat or ""), float(lng or "")
    except ValueError:
        raise InvalidInput(
            f"{lat!r}, {lng!r} is no point", code="invalid_points", hint="Write lat,lng.", **where
        ) from None
