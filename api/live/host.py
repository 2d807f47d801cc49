"""LiveHost: the same Engine as in the simulator, under a wall clock and over a ledger.

One writer: everything that is said to the engine goes through `tell`, on the event loop, in order.  The engine's memory
runs ahead of the disk by what one commit holds; answers, routes and notices leave after the commit.  Where a commit
fails the engine is dropped, and folded anew once the ledger takes writes again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from api.common.clock import Clock
from api.common.errors import NotReady
from api.ledger.outbox import Notice
from api.ledger.protocol import Following, Ledger, LedgerEntry, LedgerFailed, StoredReply, VaultRow, Write
from api.ledger.recovery import BEHIND_ALL, Recovered, Tail, recover, snapshot_of
from api.live import ended_orders, on_board
from api.live.alarm import Alarm
from api.live.phones import Phones
from api.live.positions import Positions
from api.live.travel import LiveTravel
from api.observe.disk_times import Commits
from api.observe.metrics import Metrics
from api.observe.watchdog import out_of_memory
from api.outbox.feed import Feed
from api.outbox.notices import Notices
from api.solver import parking
from api.solver.rounds import Rounds
from api.solver.travel_state import AnswersHeard, TravelState
from dispatch.board.board import Board
from dispatch.board.records import OrderRecord
from dispatch.codec import encode
from dispatch.engine.engine import Engine
from dispatch.errors import CorruptJournal
from dispatch.events import Event, RoundOpened
from dispatch.inputs import Input, RoundSolved, TravelChanged
from dispatch.settings.settings import Settings
from routing.answers import AnswerBlock, Answers
from routing.asked_travel import AskedTravel
from routing.places import Access
from routing.travel import TravelTimes

log = logging.getLogger(__name__)

RESUME_EVERY_S = 0.5
UNFOLDABLE_EVERY_S = 30.0
LOOKUPS_AT_ONCE = 4
NOWHERE = -1
FLUSH_FAILED_EXIT = 70
EXITS = {"ledger_superseded": 71, "ledger_went_back": 72}
"""How a process ends that must not go on, by the code of what ended it; FLUSH_FAILED_EXIT for any other."""


@dataclass(frozen=True, slots=True)
class Handled:
    """What one input led to: its events, and what `respond` made of the board right after them."""

    events: tuple[Event, ...]
    response: Any = None


@dataclass(slots=True)
class _State:
    """What is lost with a failed commit and folded anew."""

    engine: Engine
    seq: int
    notices: Notices
    fresh: dict[int, VaultRow] = field(default_factory=dict)
    """Vault rows on their way to the disk."""
    leaving: dict[str, OrderRecord] = field(default_factory=dict)
    """Orders that have left the board and are on their way to the disk."""
    rows: dict[int, VaultRow] = field(default_factory=dict)
    """Durable vault rows of what is on the board: nobody who takes in an input may wait for a look-up."""
    pending: int = 0
    """Writes on their way to the disk."""


class LiveHost:
    """Runs one city."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        *,
        travel: LiveTravel,
        rounds: Rounds,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
        trusts_journal: bool = False,
    ) -> None:
        """`trusts_journal`: as of Alarm."""
        self.ledger = ledger
        self.clock = clock or Clock()
        self.metrics = metrics or Metrics()
        self.feed = Feed(ledger)
        self.positions = Positions()
        self.phones = Phones()
        self.commits = Commits()
        self.rounds = rounds
        self.travel = travel
        self.failure: LedgerFailed | None = None
        self.unfoldable: int | None = None
        """`seq` of the entry for whose sake the journal cannot be folded anew."""
        self.slowest_command_s = 0.0
        self._settings = settings
        self._state: _State | None = None
        self._times: TravelTimes | None = None
        self.alarm = Alarm(self, trusts_journal=trusts_journal)
        self._tasks: set[asyncio.Task[None]] = set()
        self._settled: asyncio.Future[None] | None = None
        self._changing_travel = asyncio.Lock()
        self._scratch = 0
        self._closing = False
        self._lookups = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="look-up")

    # --- life ---------------------------------------------------------------------------------------------------

    async def fold(self) -> None:
        """Folds the ledger; nothing is written yet."""
        await asyncio.to_thread(self._fold)

    async def start(self) -> None:
        """Ends what was open when the last process ended, and begins to tell time."""
        await self._open()
        await self.rounds.solver.hold(self.travel_state())
        self.rounds.start(self)

    async def close(self) -> None:
        """Stops telling time, commits what is under way and keeps a snapshot."""
        self._closing = True
        self.alarm.disarm()
        await self.rounds.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._state is not None and not self.ledger.is_following:
            with suppress(LedgerFailed):
                await self.settled()
                await asyncio.to_thread(self.keep_snapshot)
        self.feed.close()
        self._lookups.shutdown(wait=False)

    def keep_snapshot(self) -> None:
        """Keeps a snapshot of what is durable; nothing may be under way."""
        state = self._state
        if state is not None and state.pending == 0:
            self.ledger.save_snapshot(snapshot_of(state.engine.board, state.seq)).result()

    def _fold(self) -> None:
        self._go_on(recover(self.ledger, self._settings))

    def show(self, tail: Tail, rows: Mapping[int, VaultRow]) -> None:
        """The board of a market that another host has, to be read here; `rows`: of what is on it."""
        state = self._state
        if state is None or state.engine.board is not tail.board:
            self._times = self.travel.bind(tail.places)
            self._scratch = NOWHERE  # a place of our own would take the number of one of theirs
            state = self._state = _State(Engine(tail.places, self._settings, tail.board), tail.seq, Notices(0, {}))
            self.failure = Following("this host only follows the market", retry_after_s=1)
        state.seq, state.rows = tail.seq, dict(rows)

    def hide(self) -> None:
        """Nothing is shown until the board is at the ledger's end."""
        self._state, self.failure = None, None

    async def lead(self, tail: Tail | None) -> None:
        """The ledger is ours from now on: the board goes on from what was followed, where that is all there is."""
        if tail is None:
            await self.fold()
        else:
            await asyncio.to_thread(self._go_on, Recovered(tail.board, tail.places, tail.seq, 0))

    def _go_on(self, found: Recovered) -> None:
        engine = Engine(found.places, self._settings, found.board)
        self._scratch = found.places.add(0.0, 0.0)
        self._times = self.travel.bind(found.places)
        self.alarm.go_on_from(found.board.now)
        notices = Notices(self.ledger.notice_head(), self.ledger.sequences_of(on_board.subjects(found.board)))
        rows = list(self.ledger.vault(on_board.handles(found.board), BEHIND_ALL))
        for row in rows:
            if row.erased_at is not None:  # which no entry says
                found.places.move(row.handle, row.first, row.second)
        self._state = _State(engine, found.seq, notices, rows={row.handle: row for row in rows})

    async def _open(self) -> None:
        """First inputs of a process: travel times as they are now, and an end for a round left open."""
        self.alarm.look_back()
        board, times = self.board, self.times
        if board.travel_digest != times.digest:
            await self.adopt(times)
        if board.open_round is not None:
            open_round = board.open_round
            await self.tell(lambda at: RoundSolved(at=at, round=open_round, cause="ABANDONED"))
        self.alarm.arm()

    # --- reading ------------------------------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """The engine; raises what keeps it from working."""
        if self._state is None:
            raise self.failure or NotReady("the service is starting", retry_after_s=1)
        return self._state.engine

    @property
    def board(self) -> Board:
        """The board as of now, ahead of the disk: wait for `settled` before showing it."""
        return self.engine.board

    @property
    def has_board(self) -> bool:
        """False while the ledger is folded, and where it cannot be."""
        return self._state is not None

    @property
    def times(self) -> TravelTimes:
        """Travel times between the places of the book."""
        if self._times is None:
            raise NotReady("the service is starting", retry_after_s=1)
        return self._times

    @property
    def is_ready(self) -> bool:
        """Folded, and rounds are planned."""
        return self._state is not None and self.failure is None and self.rounds.is_warm and not self._closing

    @property
    def takes_inputs(self) -> bool:
        """True unless the ledger takes nothing, or the host closes."""
        return self._state is not None and self.failure is None and not self._closing

    @property
    def seq(self) -> int:
        """`seq` of the last entry, durable or under way."""
        return self._state.seq if self._state is not None else 0

    async def settled(self) -> Board:
        """The board, once everything it holds now is durable."""
        board = self.board
        if self._settled is not None and not self._settled.done():
            await asyncio.shield(self._settled)
        return board

    def vault_row(self, handle: int) -> VaultRow | None:
        """What is kept about a place, durable or under way."""
        state = self._state
        known = (state.fresh.get(handle) or state.rows.get(handle)) if state is not None else None
        return known or self.ledger.vault_row(handle)

    async def asked(self, question: Callable[..., Any], *arguments: Any) -> Any:
        """The answer to a look-up in the ledger; one that crosses a network lets the loop go on meanwhile."""
        if not self.ledger.is_far:
            return question(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._lookups, question, *arguments)

    async def any_order(self, order_id: str) -> OrderRecord | None:
        """`order` for those who may wait."""
        found = self.board.orders.get(order_id) or self.leaving.get(order_id)
        if found is not None:
            return found
        kept: OrderRecord | None = await self.asked(ended_orders.kept, self.ledger, order_id)
        return self.board.orders.get(order_id) or self.leaving.get(order_id) or kept

    async def recall(self, subject: str) -> None:
        """Looks up what was said last of a subject of the past, before something more is said of it."""
        if self._state is not None and not self._state.notices.counts(subject):
            sequence = await self.asked(self.ledger.sequence_of, subject)
            if self._state is not None and not self._state.notices.counts(subject):
                self._state.notices.learn(subject, sequence)

    def order(self, order_id: str) -> OrderRecord | None:
        """An order, on the board or long ended; None where nobody has heard of it."""
        found = self.board.orders.get(order_id) or self.leaving.get(order_id)
        return found or ended_orders.kept(self.ledger, order_id)

    def newest_orders(self, **wanted: Any) -> list[OrderRecord]:
        """Orders on the board and off it, the newest first; what may be asked for: `ended_orders.newest`."""
        return ended_orders.newest(self.ledger, self.board, self.leaving, **wanted)

    @property
    def leaving(self) -> Mapping[str, OrderRecord]:
        """Orders that are no longer on the board and not yet in the ledger."""
        return self._state.leaving if self._state is not None else {}

    # --- telling ------------------------------------------------------------------------------------------------

    def add_place(self, first: float, second: float, **more: Any) -> int:
        """A new handle, for an input that names it and a vault row that keeps it; `more`: as of `PlaceBook.add`."""
        return self.engine.board.places.add(first, second, **more)

    def looked_at(self, first: float, second: float, access: Access | None = None) -> int:
        """A handle for a point that is only asked about: the same one every time, in no vault."""
        self.board.places.move(self._scratch, first, second, access)
        return self._scratch

    async def tell(
        self,
        make: Callable[[int], Input],
        *,
        vault: Sequence[VaultRow] = (),
        respond: Callable[[tuple[Event, ...]], Any] | None = None,
        answer: Callable[[Any], StoredReply] | None = None,
    ) -> Handled:
        """Says one input to the engine and returns when it is durable.

        `make(at)`: the input at the instant it is given. `respond(events)`: what to answer, read off the board right
        after. `answer(response)`: what to keep for its idempotency key.  Raises Refused (nothing happened) and
        LedgerFailed (the transaction was rolled back).
        """
        told, durable = self._tell(make, vault=vault, respond=respond, answer=answer)
        await durable
        return told

    def _tell(
        self,
        make: Callable[[int], Input],
        *,
        vault: Sequence[VaultRow] = (),
        respond: Callable[[tuple[Event, ...]], Any] | None = None,
        answer: Callable[[Any], StoredReply] | None = None,
        times: TravelTimes | None = None,
        values: Sequence[tuple[str, Any]] = (),
    ) -> tuple[Handled, asyncio.Future[None]]:
        self._refuse_where_failed()
        self.alarm.catch_up()
        item, state = make(self.clock.now()), self._state
        events, write = self._handle(item)
        # Set these before freeze: the opened round refers to their version.
        self._times = times or self._times
        opened = next((event for event in events if isinstance(event, RoundOpened)), None)
        frozen = parking.frozen(self.engine) if opened is not None else None
        try:
            response = respond(events) if respond is not None else None
            answers = (answer(response),) if answer is not None else ()
            durable = self._append(replace(write, vault=vault, answers=answers, extra=values), events)
        except MemoryError:
            out_of_memory()
        except Exception:
            self._drop(state)
            raise
        if opened is not None:
            self.spawn(self.rounds.solve(self, frozen, opened, self.times))
        if not self._closing:
            self.alarm.arm()
        return Handled(events, response), durable

    async def adopt(self, times: TravelTimes, values: Sequence[tuple[str, Any]] = ()) -> None:
        """Plans and quotes with other travel times from now on; `values`: kept in the ledger, in one transaction."""
        await self._adopt(times, values)

    def _adopt(self, times: TravelTimes, values: Sequence[tuple[str, Any]]) -> asyncio.Future[None]:
        version = self.board.travel_version + 1
        return self._tell(
            lambda at: TravelChanged(at=at, version=version, digest=times.digest, profiles=times.profiles),
            times=times,
            values=values,
        )[1]

    def travel_state(self) -> TravelState:
        """The travel times in force, as the solver's process is told of them."""
        return self.travel.sent(self.board.travel_version)

    async def change_travel(self, **changes: Any) -> None:
        """Lets other `speeds`, `weather`, `table` or `live` hold from now on, what is not named staying as it is.

        Nothing happens where the times stay the same.  Raises NotOnStreets, what `TrafficNews.conditions` raises, and
        NotReady where the service lost its state meanwhile.
        """
        async with self._changing_travel:
            used = self.times
            change = await self.travel.changed(used, self.clock.now(), **changes)
            if change is None:
                return
            sent = self.travel.sent(self.board.travel_version + 1)
            await self.rounds.solver.hold(sent._replace(news=change.news))
            if self.times is not used:
                raise NotReady("the service is folding its journal anew", retry_after_s=1)
            self.travel.news = change.news
            await self.adopt(change.times, values=(change.value,))
            log.info("traffic changed", extra={"version": self.board.travel_version, "digest": change.times.digest})

    async def take_answers(self, answers: Answers, block: AnswerBlock | None, at: int) -> None:
        """Lets answers of a travel service hold from now on; `block`: what is new in them, None where all is.

        The solver's process is told behind the round that is open.
        """
        self._refuse_where_failed()
        times, kept = self.times, self.travel.kept
        assert kept is not None and isinstance(times, AskedTravel)
        values = kept.renew(answers, at) if block is None else kept.add(answers, block)
        durable = self._adopt(times.under(answers), values)
        heard = None if block is None else AnswersHeard(self.board.travel_version, block)
        self.spawn(self.rounds.solver.hold(self.travel_state(), heard))
        await durable

    def report(self, make: Callable[[int], Input], vault: Sequence[VaultRow] = ()) -> tuple[Event, ...]:
        """Says one input without waiting for the disk: for what only we know, as the end of a round."""
        told, durable = self._tell(make, vault=vault)
        durable.add_done_callback(lambda done: done.cancelled() or done.exception())
        return told.events

    def _handle(self, item: Input) -> tuple[tuple[Event, ...], Write]:
        engine = self.engine
        state = self._state
        assert state is not None
        began = time.perf_counter()
        events = engine.decide(item)  # reads only: where it fails, nothing has happened
        try:
            leaving = ended_orders.leaving(engine.board, events)
            engine.apply(item, events)
            lasted_s = time.perf_counter() - began
            self.slowest_command_s = max(self.slowest_command_s, lasted_s)
            self.metrics.command_s.labels(type(item).__name__).observe(lasted_s)
            self.metrics.took(events, engine.board)
            state.seq += 1
            state.leaving.update((record.order.order_id, record) for record in leaving)
            entry = LedgerEntry(state.seq, item.at, encode(item), [encode(event) for event in events])
            return events, Write(entry, ended=[ended_orders.row(record) for record in leaving])
        except MemoryError:
            out_of_memory()
        except Exception:
            self._drop(state)
            raise

    def _append(self, write: Write, events: tuple[Event, ...]) -> asyncio.Future[None]:
        state = self._state
        assert state is not None
        return self._write(replace(write, notices=state.notices.of(events, state.engine.board)))

    def _write(self, write: Write) -> asyncio.Future[None]:
        """Hands one transaction to the ledger; what it holds is published when it is durable."""
        loop, state = asyncio.get_running_loop(), self._state
        assert state is not None
        durable: asyncio.Future[None] = loop.create_future()

        def ended(done: Future[None]) -> None:
            """In the ledger's thread: what the loop takes to hear of it is not the disk's time."""
            loop.call_soon_threadsafe(committed, done.exception(), self.commits.end(number))

        def committed(error: BaseException | None, lasted_s: float) -> None:
            state.pending -= 1
            for row in write.vault:
                if state.fresh.get(row.handle) is row:
                    del state.fresh[row.handle]
                    if error is None and on_board.needs(state.engine.board, row):
                        state.rows[row.handle] = row
            for gone in write.ended:
                left = state.leaving.pop(gone.order_id, None)
                if left is not None:
                    state.rows.pop(left.order.door_place, None)
            if error is None:
                self.metrics.commit_s.observe(lasted_s)
                self.feed.publish(write.notices)
                if not durable.done():
                    durable.set_result(None)
                return
            failure = error if isinstance(error, LedgerFailed) else LedgerFailed(f"the ledger failed: {error}")
            self._fail(state, failure)
            if not durable.done():
                durable.set_exception(failure)
                durable.exception()  # whoever waits hears of it; nobody has to

        future = self.ledger.append(write)
        # Count the write only after append has accepted it.
        state.pending += 1
        number = self.commits.begin()
        state.fresh.update((row.handle, row) for row in write.vault)
        self._settled = durable
        future.add_done_callback(ended)
        return durable

    async def write(self, write: Write) -> None:
        """One transaction beside the journal (vault, notices without an input); durable on return."""
        self._refuse_where_failed()
        await self._write(write)

    async def renew(self) -> None:
        """Writes nothing, which keeps a ledger ours that another host may take once we are silent."""
        state = self._state
        try:
            await asyncio.wrap_future(self.ledger.append(Write()))
        except LedgerFailed as failure:
            _end_if_fatal(failure)
            if state is not None:
                self._fail(state, failure)

    def bags_since(self, rider_id: str) -> int:
        """The revision of a rider's route with which the bags planned for them at the counter changed last."""
        return self._state.notices.counters.since(rider_id) if self._state is not None else -1

    def notice(self, tenant: str, kind: str, subject: str, data: dict[str, Any]) -> Notice:
        """A notice that no input of the engine led to."""
        assert self._state is not None
        return self._state.notices.make(self.clock.now(), tenant, kind, subject, data)

    def _drop(self, state: _State | None) -> None:
        """An error of ours between engine and journal: what is in memory may not be what will be on the disk."""
        if state is not None:
            log.exception("the engine is dropped and folded anew")
            self._fail(state, LedgerFailed("the service is folding its journal anew", retry_after_s=1))

    # --- failure ------------------------------------------------------------------------------------------------

    def _fail(self, state: _State, failure: LedgerFailed) -> None:
        """Drops the engine whose memory ran ahead of a disk that did not follow; once per failure."""
        if self._state is not state:
            return
        _end_if_fatal(failure)
        log.error("a commit failed: the engine is dropped until the ledger takes writes again")
        self._state, self.failure, self._settled = None, failure, None
        self.alarm.disarm()
        if not self._closing:
            self.spawn(self._resume(state))

    def _refuse_where_failed(self) -> None:
        """Nothing is taken in while the ledger takes nothing; reading goes on."""
        self.engine  # noqa: B018  raises where there is none
        if self.failure is not None:
            raise self.failure

    async def _resume(self, dropped: _State) -> None:
        """Folds what is durable, so that reading goes on at once, and goes on where the ledger takes writes again."""
        while dropped.pending:  # nothing may be committed behind the fold
            await asyncio.sleep(RESUME_EVERY_S / 10)
        while True:
            try:
                if self._state is None:
                    await asyncio.to_thread(self._fold)
                await asyncio.sleep(RESUME_EVERY_S)
                await asyncio.to_thread(self.ledger.resume)
                break
            except LedgerFailed as problem:
                self.failure = problem
            except CorruptJournal as problem:
                await self._stuck(problem)
            except Exception:
                log.exception("the ledger cannot be folded now")
                await asyncio.sleep(RESUME_EVERY_S)
        self.failure = self.unfoldable = None
        with suppress(LedgerFailed):  # the next failure has begun its own resumption
            await self._open()
            self.spawn(self.rounds.solver.hold(self.travel_state()))
            log.info("the ledger takes writes again")

    async def _stuck(self, problem: CorruptJournal) -> None:
        """Says which entry cannot be folded, and waits: until somebody has repaired the journal there is no engine."""
        log.critical("the journal cannot be folded: %s", problem.message, extra={"seq": problem.details.get("seq")})
        self.failure = LedgerFailed(problem.message, hint=problem.hint, retry_after_s=int(UNFOLDABLE_EVERY_S))
        self.unfoldable = problem.details.get("seq")
        await asyncio.sleep(UNFOLDABLE_EVERY_S)

    # --- tasks --------------------------------------------------------------------------------------------------

    def spawn(self, work: Any) -> None:
        """Runs a coroutine of the host until it ends or the host closes."""
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of the host failed", exc_info=task.exception())


def _end_if_fatal(failure: LedgerFailed) -> None:
    """Ends the process where what is in memory may never be written."""
    if failure.details.get("fatal"):
        log.critical("the process ends: %s", failure.message)
        os._exit(EXITS.get(failure.code, FLUSH_FAILED_EXIT))
