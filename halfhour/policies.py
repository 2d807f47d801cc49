"""Policies by name, and a researcher's own from one file: `my.py:MyPolicy`."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from routing.errors import InvalidInput, UnreadableFile

if TYPE_CHECKING:
    from dispatch.policies.policy import Policy
    from sim.scenario import Scenario

BUILT_IN = {
    "nearest": ("dispatch.policies.nearest", "Nearest"),
    "greedy": ("dispatch.policies.greedy", "Greedy"),
    "batch": ("dispatch.policies.batch", "Batch"),
    "halfhour": ("dispatch.policies.policy", "HalfhourPolicy"),
}


RECORDED = "recorded"
"""The policy that repeats what another dispatcher decided: it comes with the day."""


def choose_for(day: Scenario, wanted: str | Policy, *, recipe: str | None = None) -> Chosen:
    """As `choose`, on one day: the recorded decisions are that day's.  Raises InvalidInput where it has none."""
    if wanted != RECORDED:
        return choose(wanted, recipe=recipe)
    if not day.recorded:
        raise InvalidInput(
            "this day says of no order who carried it",
            code="no_recorded_decisions",
            hint="Import it with rider_id, told_at, picked_up_at and delivered_at (docs/your-day.md).",
        )
    from dispatch.policies.recorded import Recorded

    return Chosen(Recorded(day.recorded), {"name": RECORDED})


class Chosen(NamedTuple):
    """A policy ready to run, and what the result says of it."""

    policy: Policy
    described: dict[str, Any]
    """`name`; for a file also `path` and `sha256`, the hash of its content."""


def choose(wanted: str | Policy, *, recipe: str | None = None) -> Chosen:
    """The policy called `wanted`, or the class in `file.py:Class`; an object is taken as it is.

    Raises InvalidInput (`unknown_policy`, `invalid_policy`) or UnreadableFile.
    """
    if not isinstance(wanted, str):
        return Chosen(_checked(wanted, type(wanted).__name__), {"name": wanted.name})
    if ".py" in wanted:
        return _from_file(wanted)
    if wanted == RECORDED:
        raise InvalidInput(
            "the policy recorded needs the day whose decisions it repeats",
            code="no_recorded_decisions",
            hint="Replay a day that has some: halfhour replay DAY --policy recorded.",
        )
    if wanted not in BUILT_IN:
        near = difflib.get_close_matches(wanted, (*BUILT_IN, RECORDED), n=1)
        names = ", ".join((*BUILT_IN, RECORDED))
        hint = f"Did you mean {near[0]}?" if near else f"Choose one of {names}, or give file.py:Class."
        raise InvalidInput(f"there is no policy {wanted!r}", code="unknown_policy", hint=hint)
    module, name = BUILT_IN[wanted]
    made = getattr(importlib.import_module(module), name)
    if wanted == "halfhour":
        return Chosen(made(recipe), {"name": wanted})
    if recipe is not None:
        raise InvalidInput(
            f"policy {wanted} has no recipes", code="invalid_policy", hint="Leave --recipe out, or use halfhour."
        )
    return Chosen(made(), {"name": wanted})


def _from_file(wanted: str) -> Chosen:
    name, _, class_name = wanted.rpartition(":")
    if not name.endswith(".py") or not class_name:
        raise InvalidInput(f"{wanted!r} names no class", code="invalid_policy", hint="Write it as my.py:MyPolicy.")
    path = Path(name)
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise UnreadableFile(f"no policy can be read: {problem.strerror}", file=name) from problem
    made = getattr(_module(path), class_name, None)
    if not isinstance(made, type):
        raise InvalidInput(f"there is no class {class_name} in it", code="invalid_policy", file=name)
    described = {"name": wanted, "path": str(path), "sha256": hashlib.sha256(content).hexdigest()}
    return Chosen(_checked(made(), name), described)


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"halfhour_policy_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UnreadableFile("this is no Python file", file=str(path))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        line = problem.lineno if isinstance(problem, SyntaxError) else _last_line(problem, path)
        raise InvalidInput(
            f"it cannot be loaded: {type(problem).__name__}: {problem}",
            code="invalid_policy",
            file=str(path),
            line=line,
        ) from problem
    return module


def _last_line(problem: BaseException, path: Path) -> int | None:
    """The line of `path` at which an error arose."""
    trace, line = problem.__traceback__, None
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _checked(policy: Any, where: str) -> Policy:
    missing = [name for name in ("name", "configure", "answer") if not hasattr(policy, name)]
    if missing:
        raise InvalidInput(
            f"the policy has no {' and no '.join(missing)}",
            code="invalid_policy",
            file=where,
            hint="Derive it from dispatch.policies.policy.SimplePolicy and write decide(view).",
        )
    checked: Policy = policy
    return checked
