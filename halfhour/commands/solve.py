"""`halfhour solve`: the best routes for a problem file of the field."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, cast

import typer

from halfhour.terminal import console, print_json
from routing.errors import HalfhourError, InvalidInput

if TYPE_CHECKING:
    from halfhour.solving import SolvedFile, Watch
    from routing.plans.plan import Recipe
    from routing.plans.planner import Objective
    from routing.problem.formats.distances import Rounding
    from routing.problem.problem import Problem, Rows, Travel

EXAMPLE = "halfhour solve lr101.txt --time-limit 10 --out lr101.routes"

INTERRUPTED = 130

app = typer.Typer(context_settings={"help_option_names": ["--help", "-h"]})


@app.command()
def solve(
    file: Annotated[
        Path, typer.Argument(help="Li & Lim, Sartori & Buriol, CVRPLIB or Solomon text, or VROOM's JSON; - for stdin.")
    ],
    time_limit: Annotated[
        float | None, typer.Option(min=0, help="Seconds of search after loading (default 5, unless --work is given).")
    ] = None,
    work: Annotated[
        int | None, typer.Option(min=0, help="Insertions to try; the same number gives the same routes everywhere.")
    ] = None,
    objective: Annotated[
        str, typer.Option(help="vehicles (then distance), distance, cost (the prices as they are), or auto.")
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the search.")] = 0,
    recipe: Annotated[str, typer.Option(help="insertion, lns, ortools or lns+ortools.")] = "lns",
    threads: Annotated[
        int, typer.Option(min=1, max=64, help="Threads for plans of 50 routes or more, searched in clusters.")
    ] = 1,
    out: Annotated[Path | None, typer.Option(help="Write the routes here instead of to the terminal.")] = None,
    roads: Annotated[Path | None, typer.Option(help="Measure the coordinates of a VROOM file on these roads.")] = None,
    rounding: Annotated[
        str, typer.Option(help="Of CVRPLIB and Solomon distances: nearest, one_decimal, none, or auto, by their TYPE.")
    ] = "auto",
    check: Annotated[
        bool, typer.Option("--check", "-c", help="Time the steps of a VROOM file and say what they violate; no search.")
    ] = False,
    geometry: Annotated[
        bool, typer.Option("--geometry", "-g", help="Routes with their encoded polyline; needs --roads.")
    ] = False,
    show_progress: Annotated[
        bool, typer.Option("--progress", help="Show the best plan so far while searching.")
    ] = False,
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON alone: VROOM's answer, or the figures.")] = False,
) -> None:
    """Solve a routing problem file; Ctrl-C ends the search and prints the best routes so far."""
    from halfhour.compiling import compiling
    from halfhour.solving import check_plan, solve_file

    _writable(out)
    with _errors_as_data(as_data), _Interrupts() as interrupts:
        if check:
            _write(json.dumps(check_plan(file, roads=roads, geometry=geometry), indent=1) + "\n", out, as_data)
            return
        with compiling(quiet=as_data), _Incumbents(show_progress) as seen:
            done = solve_file(
                file, time_limit=time_limit, work=work, objective=cast("Objective", objective), seed=seed,
                recipe=cast("Recipe", recipe), threads=threads, roads=roads, stopped=interrupts.seen,
                rounding=cast("Rounding", rounding), geometry=geometry, watch=seen,
            )  # fmt: skip
    _print(done, out, as_data)
    if interrupts.seen():
        raise typer.Exit(INTERRUPTED)


class _Interrupts:
    """Ctrl-C ends the search, not the program."""

    def __init__(self) -> None:
        self._came = False

    def seen(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._came

    def __enter__(self) -> _Interrupts:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        self._came = True


@contextmanager
def _errors_as_data(wanted: bool) -> Iterator[None]:
    """Print what is wrong with an input as VROOM's JSON too, where JSON is asked for."""
    try:
        yield
    except HalfhourError as problem:
        if wanted:
            from routing.problem.formats.vroom_answer import failure

            print_json(failure(problem.code, problem.message))
        raise


def _writable(out: Path | None) -> None:
    """Refuse, before the search, a file that cannot be written."""
    if out is None:
        return
    if not out.parent.is_dir():
        raise InvalidInput(f"no folder {out.parent}", field="--out")
    if out.is_dir() or not os.access(out if out.exists() else out.parent, os.W_OK):
        raise InvalidInput(f"{out} may not be written", field="--out", hint="Name a file in a folder of yours.")


def _write(text: str, out: Path | None, as_data: bool) -> None:
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if out is None or as_data:
        sys.stdout.write(text)


class _Incumbents:
    """A line on the terminal for the best plan so far: seconds, vehicles, cost, what it leaves out."""

    def __init__(self, wanted: bool) -> None:
        self.wanted, self.begun = wanted, time.perf_counter()

    def __enter__(self) -> Watch | None:
        return self.show if self.wanted else None

    def __exit__(self, *_: object) -> None:
        if self.wanted and sys.stderr.isatty():
            sys.stderr.write("\n")

    def show(self, problem: Problem, travel: Travel, rows: Rows, unit: int) -> None:
        """Say what was found: over the line before on a terminal, else on a line of its own."""
        import numpy as np

        from halfhour.solving import VEHICLE_PRICE
        from routing.problem.evaluate import evaluate

        vehicles = int((np.diff(rows.stop_ptr) > 0).sum())
        left = len(problem.pick_place) - len(np.unique(rows.act_request))
        priced = vehicles * VEHICLE_PRICE if problem.fixed.min(initial=VEHICLE_PRICE) >= VEHICLE_PRICE else 0
        cost = (evaluate(problem, travel, rows).cost - priced) * problem.tick_us / 1e6 / unit
        line = f"{time.perf_counter() - self.begun:.1f} s: {vehicles} vehicles, cost {cost:,.0f}, {left} unserved"
        sys.stderr.write(f"\r\x1b[2K{line}" if sys.stderr.isatty() else line + "\n")
        sys.stderr.flush()


def _print(done: SolvedFile, out: Path | None, as_data: bool) -> None:
    """The routes where they are wanted, and a line of figures beside them."""
    if out is not None:
        out.write_text(done.output, encoding="utf-8")
    if as_data and done.format != "vroom":
        print_json(done.summary())
    elif out is None or as_data:
        sys.stdout.write(done.output)
    figures = done.summary()
    distance = "" if done.distance is None else f", distance {done.distance:.2f}"
    console(stderr=True).print(
        f"{done.name}: {done.vehicles} vehicles{distance}, cost {figures['cost']:,}, {figures['unserved']} unserved; "
        f"{done.seconds:.2f} s of search ({done.cpu_seconds:.2f} s of CPU, {done.solution.work:,} insertions tried)"
    )
    for one in done.left_out:
        console(stderr=True).print(f"left out: {one.pickup} to {one.delivery} ({one.reason})")
