"""Errors of the dispatch package.

    HalfhourError
    +-- Refused                   a request the engine does not take (order, change, override); nothing was applied
    +-- ClockWentBack             an input older than one already handled
    +-- InvalidSetting            unknown name or impossible value of a setting
    +-- CorruptJournal            a journal that cannot be folded; details name the line
    +-- InvalidPlan               a policy gave a plan that breaks a law

Not being able to assign an order is never an error: it is a Reason on the order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from routing.errors import HalfhourError, InvalidInput


class Refused(HalfhourError):
    """A request that the engine does not take; its `code` is stable and nothing was applied."""

    code = "refused"


class ClockWentBack(HalfhourError):
    """An input whose `at` lies before that of an input already handled."""

    code = "clock_went_back"


class InvalidSetting(InvalidInput):
    """An unknown setting name or a value it cannot take."""

    code = "invalid_setting"


class CorruptJournal(InvalidInput):
    """A journal that cannot be folded or that re-decides differently; details name the line, or the entry's `seq`."""

    code = "corrupt_journal"


@contextmanager
def taking_in(seq: int, *, hint: str = "", **where: Any) -> Iterator[None]:
    """What fails within leaves as CorruptJournal that names the entry `seq`; `where` goes into its details."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as problem:
        said = problem.message if isinstance(problem, HalfhourError) else f"{type(problem).__name__} {problem}"
        raise CorruptJournal(f"entry {seq} cannot be taken in: {said}", seq=seq, hint=hint, **where) from problem


class InvalidPlan(InvalidInput):
    """A policy's plan that breaks a law; details name rider and order."""

    code = "invalid_plan"
