"""The solver in a process of its own, as its parent sees it: started, warmed, asked, replaced where it fails.

Messages are pickles behind their length.  The process holds the travel times, newer ones being made ready beside those
in use; each round brings the places it names.  One that is asked for times it does not hold says so and never guesses.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from api.common.parent_process import environment_of_child
from api.solver.messages import LENGTH, RoundTask, SolverFailed
from api.solver.travel_state import AnswersHeard, TravelState
from dispatch.inputs import RoundSolved

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)

HOLD_S = 60.0
"""How long the process may take to make other travel times ready."""
GRACE_S = 10.0
"""A process that is late keeps its place if it answers within this; to start another one takes as long."""
COMMAND = (sys.executable, "-m", "api.solver.child")


class Solver:
    """The parent's side: starts the process, warms it, asks it, and replaces it when it fails."""

    def __init__(self, travel: TravelState, command: Sequence[str] = COMMAND, grace_s: float = GRACE_S) -> None:
        self._travel = travel
        self._command = tuple(command)
        self._grace_s = grace_s
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._asking: asyncio.Task[Any] | None = None
        self._overdue: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._launched_with: TravelState | None = None
        self._is_closing = False
        self.restarts = 0
        self.is_warm = False

    async def launch(self) -> None:
        """Starts the process, which warms up while we get ready, too; `start` goes on from there."""
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=environment_of_child()
        )
        self._watching = asyncio.create_task(self._watch(process))
        self._launched_with = self._travel
        self._say(self._travel)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """A process that ends between rounds is replaced at once, not by the round that finds it gone."""
        status = await process.wait()
        if process is self._process and self.is_warm:
            log.error("the solver's process ended by itself", extra={"exit_status": status})
            self._replace()

    async def start(self) -> None:
        """Starts the process and waits until it has compiled what it needs.

        Nothing happens where it is warm already.  Raises SolverFailed where that fails; it is tried again in the
        background.
        """
        if self.is_warm:
            return
        try:
            await self._start_once()
        except (SolverFailed, OSError):
            self._replace()
            raise

    async def _start_once(self) -> None:
        self.is_warm = False
        if self._launched_with is None:
            await self.launch()
        held, self._launched_with = self._launched_with, None
        await self._hear()
        while held is None or not held.is_same(self._travel):  # traffic may change while it starts
            held = self._travel
            await self._ask(held)
        self.is_warm = True

    async def hold(self, travel: TravelState, heard: AnswersHeard | None = None) -> None:
        """Has the process make other travel times ready, beside those in use; where it fails, its successor does.

        `heard`: all that they have more than those before, where that is less to send.
        """
        self._travel = travel
        async with self._lock:
            if not self.is_warm:
                return
            try:
                async with asyncio.timeout(HOLD_S):
                    await self._ask(heard or travel)
            except (TimeoutError, SolverFailed) as problem:
                log.error("the solver does not take travel times %d: %s", travel.version, problem)
                self._replace()

    async def solve(self, task: RoundTask, timeout_s: float) -> RoundSolved:
        """The answer to one round; raises SolverFailed.

        One late answer costs one round: the process goes on, what it says in the end is thrown away, and a round that
        comes meanwhile waits its turn.  Dead, or silent for `grace_s` more, it is replaced.
        """
        if not self.is_warm:
            raise SolverFailed("dead", "the solver is starting")
        ends_at = asyncio.get_running_loop().time() + timeout_s
        try:
            async with asyncio.timeout_at(ends_at):
                await self._lock.acquire()
        except TimeoutError:
            raise SolverFailed("late", "the solver is busy with an earlier round") from None
        asking = self._asking = asyncio.create_task(self._exchange(task))
        await asyncio.wait({asking}, timeout=ends_at - asyncio.get_running_loop().time())
        if not asking.done():
            self._overdue = asyncio.create_task(self._wait_for(asking))
            raise SolverFailed("late", f"no answer within {timeout_s:.1f} s")
        found = asking.result()
        if not isinstance(found, RoundSolved):
            raise SolverFailed("error", f"an answer of type {type(found).__name__}")
        return found

    async def close(self) -> None:
        """Ends the process."""
        self._is_closing = True  # nothing takes its place
        self.is_warm = False
        for task in (self._watching, self._starting, self._overdue):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._kill()
        if self._asking is not None:
            await asyncio.gather(self._asking, return_exceptions=True)
        if self._process is not None:
            await self._process.wait()

    async def _exchange(self, task: RoundTask) -> Any:
        """Asks and hears the answer, whoever still waits for it; lets the next one in."""
        try:
            if not self.is_warm:
                raise SolverFailed("dead", "the solver is starting")
            return await self._ask(task)
        except SolverFailed as problem:
            if problem.why == "dead" and self.is_warm:
                self._replace()
            raise
        finally:
            self._lock.release()

    async def _wait_for(self, asking: asyncio.Task[Any]) -> None:
        """What a late process says is of no use to anyone; one that stays silent is replaced."""
        await asyncio.wait({asking}, timeout=self._grace_s)
        if asking.done():
            asking.exception()  # nobody else looks at it
            return
        log.error("the solver has been silent for %.0f s beyond its time", self._grace_s)
        self._replace()
        asking.cancel()

    async def _ask(self, message: Any) -> Any:
        self._say(message)
        return await self._hear()

    def _say(self, message: Any) -> None:
        """Sends a message; one that is lost with its process is missed by whoever waits for the answer."""
        process = self._process
        assert process is not None and process.stdin is not None
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        # uvloop says RuntimeError of a pipe whose other end has gone, asyncio ConnectionResetError.
        with contextlib.suppress(OSError, RuntimeError):
            process.stdin.write(LENGTH.pack(len(data)) + data)

    async def _hear(self) -> Any:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        try:
            await process.stdin.drain()
            (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
            answer = pickle.loads(await process.stdout.readexactly(length))
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, asyncio.IncompleteReadError) as problem:
            raise SolverFailed("dead", f"the solver is gone: {problem}") from problem
        if isinstance(answer, SolverFailed):
            raise answer
        return answer

    def _replace(self) -> None:
        """Kills the process; a new one is started in the background."""
        self.is_warm = False
        self._kill()
        if not self._is_closing and (self._starting is None or self._starting.done()):
            self.restarts += 1
            self._starting = asyncio.create_task(self._start_again())

    async def _start_again(self) -> None:
        pause_s = 0.1
        while True:
            try:
                await self._start_once()
                return
            except (SolverFailed, OSError) as problem:
                log.error("the solver does not start: %s", problem)
                self._kill()
                await asyncio.sleep(pause_s)
                pause_s = min(10.0, pause_s * 2)

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
