"""Rounds of a live service: asked of the solver's process, answered by the host itself where that fails.

A late, dead or lying solver means insertion in the host, within the deadline, counted; the round is closed in any case.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from api.ledger.outbox import Notice
from api.ledger.protocol import OPERATOR, LedgerFailed, Write
from api.solver.answer_check import flaw_of
from api.solver.messages import RoundTask, SolverFailed, task_of
from api.solver.overload import Ladder, Step
from api.solver.parking import ParkingHost, acceptable, park_unplannable
from api.solver.threads import Threads
from api.solver.travel_state import AnswersHeard, TravelState
from dispatch.board.board import Board
from dispatch.events import RoundOpened
from dispatch.inputs import RoundsLimited, RoundSolved
from dispatch.rounds.frozen_round import Frozen
from dispatch.rounds.leg_metres import with_metres
from routing.travel import TravelTimes

if TYPE_CHECKING:
    from dispatch.rounds.solve import Recipe

log = logging.getLogger(__name__)

SOLVER_SHARE, SEARCH_SHARE = 0.8, 0.6
"""Of the deadline: how long the solver is waited for, and how long it may search. The rest is insertion's."""


class Solves(Protocol):
    """Where rounds are solved; `api.solver.process.Solver` in production."""

    is_warm: bool
    restarts: int

    async def start(self) -> None: ...

    async def hold(self, travel: TravelState, heard: AnswersHeard | None = None) -> None: ...

    async def solve(self, task: RoundTask, timeout_s: float) -> RoundSolved: ...

    async def close(self) -> None: ...


class Market(ParkingHost, Protocol):
    """What rounds need of the live host that they are solved for."""

    failure: LedgerFailed | None

    @property
    def board(self) -> Board: ...

    def travel_state(self) -> TravelState: ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None: ...

    def notice(self, tenant: str, kind: str, subject: str, data: dict[str, Any]) -> Notice: ...

    async def write(self, write: Write) -> None: ...


class Rounds:
    """Solves one round at a time and tells the engine."""

    def __init__(
        self, solver: Solves, warm_travel: Callable[[], None] = lambda: None, most_threads: int | None = None
    ) -> None:
        self.solver = solver
        self.threads = Threads(most_threads)
        self._warm_travel = warm_travel
        self.ladder = Ladder()
        self.solved = 0
        self.fallbacks: dict[str, int] = {}
        """Rounds answered by the host, by why: late, dead, error, travel, lying, failed."""
        self.fallbacks_in_a_row = 0
        """Rounds answered by the host since the solver last answered one."""
        self.last_s = 0.0
        self._host_warm = False
        self._starting: asyncio.Task[None] | None = None

    @property
    def is_warm(self) -> bool:
        """Rounds are planned: by the solver, which has compiled all, or where it failed by the host's own insertion.

        The host reads its insertion beside the first requests: for half a second a quote waits for it.
        """
        return self.solver.is_warm or (self._host_warm and bool(self.solver.restarts))

    def start(self, host: Market) -> None:
        """Warms both sides in the background, and goes on from the step that the journal tells of."""
        if host.board.most_new_orders is not None:
            self.ladder = Ladder(Step.URGENT)
        host.metrics.ladder_step.set(self.ladder.step)
        self._starting = asyncio.get_running_loop().create_task(self._warm())

    async def _warm(self) -> None:
        from api.solver.warm_up import compiled, get_ready, warm_up_rounds

        async def solver() -> None:
            try:
                await self.solver.start()
            except (SolverFailed, OSError) as problem:
                # Rounds are answered by insertion meanwhile; the solver tries again by itself.
                log.error("the solver does not start: %s", problem)

        async def host() -> None:
            await asyncio.to_thread(get_ready)
            await compiled(starting)
            await asyncio.to_thread(self._warm_travel)
            await asyncio.to_thread(warm_up_rounds, "insertion")
            self._host_warm = True

        starting = asyncio.create_task(solver())
        await asyncio.gather(starting, host())

    async def close(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        await self.solver.close()

    async def solve(self, host: Market, frozen: Frozen | None, opened: RoundOpened, times: TravelTimes) -> None:
        """Has one round solved and answers it; never leaves it open.  `times`: those it was opened with.

        `frozen`: None where the round cannot even be frozen; who is to blame is parked, and the next one goes on.
        """
        began = time.perf_counter()
        allowed_s = max(1.0, (opened.deadline_at - opened.at) / host.clock.speed)
        if frozen is None:
            answer = await self._unplannable(host, opened, times)
        else:
            answer = await self._solved(host, frozen, opened, times, allowed_s)
        self.last_s = time.perf_counter() - began
        host.metrics.round_s.labels(answer.cause).observe(self.last_s)
        try:
            self._answer(host, answer)
            self._step(host, self.last_s / allowed_s, left_some=frozen is not None and frozen.orders_over > 0)
        except Exception as problem:
            if isinstance(problem, LedgerFailed) or host.failure is not None:
                return  # the engine is folded anew and its open round abandoned
            log.exception("round %d: the engine took no answer", opened.round)
            self._answer(host, acceptable(host, answer))

    async def _solved(
        self, host: Market, frozen: Frozen, opened: RoundOpened, times: TravelTimes, allowed_s: float
    ) -> RoundSolved:
        try:
            return await self._asked(host, frozen, opened, allowed_s)
        except SolverFailed as problem:
            log.warning("a round is answered by the host", extra={"round": frozen.round, "cause": problem.why})
            if problem.why == "travel":
                host.spawn(self.solver.hold(host.travel_state()))
            return await self._own(host, frozen, opened, times, problem.why)
        except Exception:
            log.exception("the solver's answer cannot be read")
            return await self._own(host, frozen, opened, times, "error")

    async def _asked(self, host: Market, frozen: Frozen, opened: RoundOpened, allowed_s: float) -> RoundSolved:
        usual = cast("Recipe", frozen.settings.search.recipe)
        recipe: Recipe = usual if self.ladder.step is Step.SEARCH else "insertion"
        search_s, orders = SEARCH_SHARE * allowed_s, int((frozen.problem.aboard_of < 0).sum())
        threads = self.threads.choice(frozen.settings.search.threads, orders, search_s)
        task = task_of(frozen, host.board.places, opened.travel_version, recipe, search_s, threads)
        began = time.perf_counter()
        answer = await self.solver.solve(task, SOLVER_SHARE * allowed_s)
        if recipe == usual:
            self.threads.note(threads, orders, time.perf_counter() - began)
        host.metrics.searched(orders, threads, self.threads.gain())
        flaw = flaw_of(frozen, answer)
        if flaw is not None:
            raise SolverFailed("lying", flaw)
        self.solved += 1
        self.fallbacks_in_a_row = 0
        return answer

    async def _own(
        self, host: Market, frozen: Frozen, opened: RoundOpened, times: TravelTimes, why: str
    ) -> RoundSolved:
        """Insertion by the host; where even that fails, an empty answer that keeps everything as it is."""
        from dispatch.rounds.solve import solve_round

        try:
            answer = await asyncio.to_thread(solve_round, frozen, times, recipe="insertion")
            answer = with_metres(frozen, answer, times)
        except Exception:
            log.exception("round %d cannot be planned at all", frozen.round)
            return await self._unplannable(host, opened, times)
        self._count(host, why)
        return replace(answer, cause="FALLBACK")

    async def _unplannable(self, host: Market, opened: RoundOpened, times: TravelTimes) -> RoundSolved:
        self._count(host, "failed")
        return await park_unplannable(host, opened, times)

    def _count(self, host: Market, why: str) -> None:
        self.fallbacks[why] = self.fallbacks.get(why, 0) + 1
        self.fallbacks_in_a_row += 1
        host.metrics.fallbacks.labels(why).inc()

    def _answer(self, host: Market, answer: RoundSolved) -> None:
        """Tells the engine, without reasons it knows already: they would only lengthen the journal."""
        known = host.board.open_orders
        news = tuple(said for said in answer.reasons if said[0] in known and known[said[0]].reason is not said[1])
        host.report(lambda at: replace(answer, at=at, reasons=news))

    def _step(self, host: Market, share: float, *, left_some: bool = False) -> None:
        """Moves on the overload ladder; each move is a notice, a metric, and what it asks of the engine journalled."""
        before = self.ladder.step
        after = self.ladder.note(share, left_some=left_some)
        most = self.ladder.most_new_orders
        if host.board.most_new_orders != most:
            host.report(lambda at: RoundsLimited(at=at, most_new_orders=most))
        if after is None:
            return
        host.metrics.ladder_step.set(after)
        host.metrics.ladder_moves.labels("down" if after > before else "up").inc()
        notice = host.notice(
            OPERATOR, "service.ladder", "service", {"step": after.name.lower(), "load": round(share, 2)}
        )
        host.spawn(host.write(Write(notices=(notice,))))
