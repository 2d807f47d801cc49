"""Where the runs of an experiment are done: processes of this machine, or those of a cluster that somebody has started.

The seam is `concurrent.futures.Executor`.  A cluster's machines have this version of Halfhour, and the experiment's
files under the same paths.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any
from urllib.parse import urlsplit

from dispatch.version import __version__
from halfhour.lab.running import MakeExecutor, processes
from routing.errors import InvalidInput

MOST_TRIES = 3
"""A run whose process died is done again so often."""
ASKED_S = 120.0


def executor_maker(on: str = "") -> MakeExecutor:
    """Makes executors for `ray://HOST:PORT` (`ray://auto`: the cluster of this machine), `dask://HOST:PORT`, or here.

    Raises InvalidInput where the address is of no such cluster, its client is not installed, or its machines have
    another version of Halfhour.
    """
    if not on:
        return processes
    made = {"ray": RayExecutor, "dask": dask_executor}.get(urlsplit(on).scheme)
    if made is None:
        raise InvalidInput(
            f"{on!r} is the address of no cluster",
            field="on",
            hint="Write ray://HOST:10001, ray://auto or dask://HOST:8786.",
        )

    def alike(jobs: int) -> Executor:
        executor = made(on, jobs)
        _require_version(executor)
        return executor

    return alike


def version_here() -> str:
    """The version of Halfhour where this is run."""
    return __version__


def _require_version(executor: Executor) -> None:
    theirs = executor.submit(version_here).result(timeout=ASKED_S)
    if theirs != __version__:
        executor.shutdown(wait=False)
        raise InvalidInput(
            f"the cluster has Halfhour {theirs}, this machine {__version__}: their results would not be one's own",
            field="on", hint="Install the same version everywhere.",
        )  # fmt: skip


class RayExecutor(Executor):
    """Tasks of a Ray cluster; one whose process or machine dies is done again, up to MOST_TRIES times."""

    def __init__(self, on: str, jobs: int) -> None:
        """`jobs` at most are submitted at a time; how many run is the cluster's business."""
        self._ray = _client("ray", "ray")
        if not self._ray.is_initialized():
            address = "auto" if on == "ray://auto" else on
            self._ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        self._remote: dict[Any, Any] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As of concurrent.futures."""
        remote = self._remote.get(fn)
        if remote is None:
            remote = self._remote[fn] = self._ray.remote(num_cpus=1, max_retries=MOST_TRIES)(fn)
        future: Future[Any] = remote.remote(*args, **kwargs).future()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leaves the cluster, which goes on."""
        self._ray.shutdown()


def dask_executor(on: str, jobs: int) -> Executor:
    """Dask's own executor for a scheduler; nothing of it is ours."""
    client = _client("distributed", "distributed").Client(on.replace("dask://", "tcp://", 1))
    executor: Executor = client.get_executor(retries=MOST_TRIES)
    return executor


def _client(module: str, package: str) -> Any:
    if importlib.util.find_spec(module) is None:
        what = "halfhour[ray]" if package == "ray" else package
        raise InvalidInput(f"{package} is not installed", field="on", hint=f"pip install '{what}'")
    return importlib.import_module(module)
