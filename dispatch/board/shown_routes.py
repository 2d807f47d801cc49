"""What a rider's phone has shown: a late report means the stop as its rider saw it, not as it is now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dispatch.model import ActKind, Level, Route, Stop

MOST_SHOWN = 24
"""Versions of stops remembered for each rider, the newest: two to three hours of a busy shift."""

ToDo = tuple[tuple[str, ActKind], ...]
"""Orders of a stop, each with what is done there."""


@dataclass(frozen=True, slots=True)
class ShownStop:
    """A told stop as its rider's route had it from `revision` on; a later version of the same id replaces it."""

    stop_id: str
    store_id: str | None
    acts: ToDo
    revision: int
    told_at: int
    seen_at: int | None = None
    """When a phone first showed it."""

    @property
    def since(self) -> int:
        """From when on it may have been on the phone."""
        return self.told_at if self.seen_at is None else self.seen_at

    def kind_of(self, order_id: str) -> ActKind | None:
        """What was to be done here with an order; None for nothing."""
        return next((kind for known, kind in self.acts if known == order_id), None)


def told_acts(stop: Stop) -> ToDo:
    """What a phone shows of a stop."""
    return tuple((act.order_id, act.kind) for act in stop.acts if act.level >= Level.TOLD)


def with_route(shown: tuple[ShownStop, ...], route: Route, at: int) -> tuple[ShownStop, ...]:
    """What is remembered after `route` was told at `at`: a version more of each stop that is new or has changed."""
    newest = {version.stop_id: version for version in shown}
    fresh = []
    for stop in route.told:
        before, acts = newest.get(stop.stop_id), told_acts(stop)
        if before is None or before.acts != acts:
            fresh.append(ShownStop(stop.stop_id, stop.store_id, acts, route.revision, at))
    return (*shown, *fresh)[-MOST_SHOWN:] if fresh else shown


def with_sight(shown: tuple[ShownStop, ...], revision: int, at: int) -> tuple[ShownStop, ...]:
    """What is remembered after a phone has shown a route of `revision` at `at`: the stops as they were in it."""
    newest = {version.stop_id: k for k, version in enumerate(shown) if version.revision <= revision}
    on_it = set(newest.values())
    return tuple(
        replace(version, seen_at=at) if k in on_it and (version.seen_at is None or at < version.seen_at) else version
        for k, version in enumerate(shown)
    )


def first_told_at(shown: tuple[ShownStop, ...], stop_id: str) -> int | None:
    """When a rider was first told of a stop; None where that is no longer known."""
    return next((version.told_at for version in shown if version.stop_id == stop_id), None)


def as_shown(
    shown: tuple[ShownStop, ...], stop_id: str, happened_at: int, revision: int | None = None
) -> ShownStop | None:
    """A stop as its rider saw it at `happened_at`; None where it is no longer known.

    `revision`: of a route that the phone is known to have shown then, whether it has said so or not.  In the second of
    a change it may have shown either version: whatever stood on one of them counts.
    """
    versions = [version for version in shown if version.stop_id == stop_id]
    if not versions:
        return None
    index = max(_on_the_phone(versions, happened_at, revision), default=0)
    found = versions[index]
    if index and found.since >= happened_at:
        before = versions[index - 1].acts
        found = replace(found, acts=(*found.acts, *(act for act in before if found.kind_of(act[0]) is None)))
    return found


def _on_the_phone(versions: list[ShownStop], at: int, revision: int | None) -> Iterator[int]:
    """Versions that a phone has shown by `at`; where none with anything to do is known, those it had been sent."""
    known = [k for k, version in enumerate(versions) if _was_seen(version, at, revision)]
    if not any(versions[k].acts for k in known):
        known += [k for k, version in enumerate(versions) if version.told_at <= at]
    yield from known


def _was_seen(version: ShownStop, at: int, revision: int | None) -> bool:
    by_word = version.seen_at is not None and version.seen_at <= at
    return by_word or (revision is not None and version.revision <= revision)
