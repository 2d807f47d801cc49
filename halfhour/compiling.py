"""The first use on a machine compiles for minutes: where the machine code is kept, and words while it is made.

What is compiled is kept in `NUMBA_CACHE_DIR`, or in the user's cache folder.  Where neither may be written the code is
made anew at each start, in a folder that goes with the process.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from halfhour.terminal import ProgressBar, console, progress
from routing.errors import HalfhourError

log = logging.getLogger(__name__)

VARIABLE = "NUMBA_CACHE_DIR"
LOOK_EVERY_S = 0.5
LOG_EVERY_S = 15.0
TITLE = "Compiling, once for this machine"


class NoCacheFolder(HalfhourError):
    """Compiled code can be kept nowhere, not even for the time of this process."""

    code = "no_cache_folder"


def folder() -> Path:
    """Where machine code is kept."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_cache_dir("halfhour"))


def keep_somewhere() -> None:
    """Sees to a folder that can be written, for this process and those it starts; raises NoCacheFolder."""
    wanted = folder()
    try:
        (wanted / "kernels").mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=wanted / "kernels").close()
        return
    except OSError:
        pass
    try:
        instead = tempfile.mkdtemp(prefix="halfhour-kernels-")
    except OSError as problem:
        raise NoCacheFolder(
            f"compiled code can be kept neither in {wanted} nor for the time being: {problem.strerror or problem}",
            hint=f"Set {VARIABLE} to a folder that may be written.",
        ) from problem
    atexit.register(shutil.rmtree, instead, ignore_errors=True)
    os.environ[VARIABLE] = instead
    console(stderr=True).print(
        f"note: {wanted} may not be written: everything is compiled anew at each start, which takes minutes. "
        f"Set {VARIABLE} to a folder that is kept.",
        markup=False,
    )


def is_first_use() -> bool:
    """True where nothing has been compiled yet."""
    from routing.kernels import is_compiled

    return not is_compiled()


@contextmanager
def compiling(*, quiet: bool = False, has_log: bool = False) -> Iterator[None]:
    """Says, while the block runs on a machine that has compiled nothing yet, that this takes minutes and how it goes.

    On a terminal by a bar, unless `quiet`; elsewhere by one line, or in the log of who has one.
    """
    if not is_first_use():
        yield
        return
    log.info("compiling: a first start on a machine takes minutes")
    if not sys.stderr.isatty():
        if not (quiet or has_log):
            console(stderr=True).print(f"{TITLE}: this takes some minutes.", markup=False)
        with _watched(_logged()):
            yield
        return
    with progress(TITLE, quiet=quiet) as bar, _watched(lambda count: _show(bar, count)):
        yield


def compile_first(*, quiet: bool = False) -> None:
    """Compiles what a day's rounds need, where nothing is yet; later calls cost nothing."""
    from api.solver.warm_up import compile_beside, warm_up_rounds

    if is_first_use():
        with compiling(quiet=quiet):
            beside = compile_beside()
            warm_up_rounds()
            beside.wait()


def _show(bar: ProgressBar, count: int) -> None:
    bar.pulse(f"{count} parts")


def _logged() -> Callable[[int], None]:
    looks = 0

    def say(count: int) -> None:
        nonlocal looks
        looks += 1
        if looks % round(LOG_EVERY_S / LOOK_EVERY_S) == 0:
            log.info("still compiling", extra={"count": count})

    return say


@contextmanager
def _watched(say: Callable[[int], None]) -> Iterator[None]:
    """Calls `say` with the number of parts compiled so far, again and again."""
    ended, before = threading.Event(), _parts()

    def watch() -> None:
        while not ended.wait(LOOK_EVERY_S):
            say(_parts() - before)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _parts() -> int:
    return sum(1 for _ in (folder() / "kernels").rglob("*.nbi"))
