"""Runs on a cluster: the seam is an Executor, what dies is done again there, and another version is refused."""

from __future__ import annotations

import sys
import types
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from halfhour.lab import executors
from halfhour.lab.executors import executor_maker
from halfhour.lab.running import processes
from routing.errors import InvalidInput


class Cluster(types.ModuleType):
    """Ray as far as it is used: tasks in threads, each tried again as it was told to be."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.__spec__ = types.SimpleNamespace(name="ray")  # type: ignore[assignment]
        self.began: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []
        self.left = 0
        self._threads = ThreadPoolExecutor(2)

    def is_initialized(self) -> bool:
        return len(self.began) > self.left

    def init(self, **how: Any) -> None:
        self.began.append(how)

    def shutdown(self) -> None:
        self.left += 1

    def remote(self, **how: Any) -> Any:
        self.told.append(how)

        def made(work: Any) -> Any:
            def called(*given: Any, **more: Any) -> Any:
                return types.SimpleNamespace(future=lambda: self._threads.submit(work, *given, **more))

            return types.SimpleNamespace(remote=called)

        return made


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setitem(sys.modules, "ray", made)
    return made


def double(number: int) -> int:
    return 2 * number


def fails(number: int) -> int:
    raise ValueError(f"not {number}")


def test_without_an_address_it_is_processes_of_this_machine() -> None:
    assert executor_maker("") is processes


def test_tasks_go_to_the_cluster_and_are_done_again_there_when_they_die(cluster: Cluster) -> None:
    executor = executor_maker("ray://head:10001")(2)
    assert isinstance(executor, Executor)
    futures: list[Future[int]] = [executor.submit(double, k) for k in range(5)]
    assert [future.result() for future in futures] == [0, 2, 4, 6, 8]
    with pytest.raises(ValueError, match="not 3"):
        executor.submit(fails, 3).result()
    executor.shutdown()
    assert cluster.began[0]["address"] == "ray://head:10001" and cluster.left == 1
    assert all(told["max_retries"] == executors.MOST_TRIES for told in cluster.told)
    assert len(cluster.told) == 3, "one remote function each: the version, double, fails"


def test_the_cluster_of_this_machine(cluster: Cluster) -> None:
    executor_maker("ray://auto")(1).shutdown()
    assert cluster.began[0]["address"] == "auto"


def test_a_cluster_with_another_version_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "version_here", lambda: "0.0.1")
    with pytest.raises(InvalidInput, match=r"Halfhour 0\.0\.1"):
        executor_maker("ray://head:10001")(1)
    assert cluster.left == 1


@pytest.mark.parametrize("on", ["http://head", "head:10001", "spark://head"])
def test_an_address_of_no_cluster_is_refused(on: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        executor_maker(on)
    assert refused.value.details["field"] == "on"


def test_a_client_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InvalidInput) as missing:
        executor_maker("ray://head:10001")(1)
    assert "halfhour[ray]" in str(missing.value.hint)


def test_dask_itself() -> None:
    """Its executor is an Executor: nothing of ours stands between."""
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as local:
        executor = executor_maker(local.scheduler_address.replace("tcp://", "dask://"))(1)
        assert executor.submit(double, 21).result(timeout=60) == 42
        executor.shutdown()
