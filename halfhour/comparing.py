"""Finished replays side by side: differences paired by day and seed, and which of them exceed the noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from halfhour.lab.statistics.paired import paired
from routing.errors import InvalidInput

Summary = Mapping[str, Any]


class Block(NamedTuple):
    """One day met with one luck: runs of one block differ by their configuration alone."""

    day: str
    seed: int


class Group(NamedTuple):
    """Runs of one configuration: its name, and its summaries by block."""

    name: str
    runs: dict[Block, Summary]


class Difference(NamedTuple):
    """One figure of a group against the first: means over the blocks both have, and the paired difference."""

    key: str
    reference: float
    value: float
    difference: float
    noise: float | None
    """Half the 95 % interval of the mean paired difference; None where fewer than two can be told apart."""

    @property
    def exceeds_noise(self) -> bool | None:
        """True where the difference is larger than the noise, None where the noise is not known."""
        return None if self.noise is None else abs(self.difference) > self.noise


def day_of(summary: Summary) -> str:
    """What was replayed: the digest of the whole day; of its catalogue alone in folders of 0.2 and before."""
    return str(summary.get("scenario_digest") or summary["catalogue_digest"])


def grouped(summaries: Sequence[Summary]) -> list[Group]:
    """The runs by configuration (policy, recipe, settings, version), in order of appearance.

    Raises InvalidInput (`different_scenarios`, `same_run_twice`) where they cannot be set side by side.
    """
    # One folder without a digest of its day is enough to know of all only what it knows.
    whole = all(summary.get("scenario_digest") for summary in summaries)
    found: dict[tuple[Any, ...], dict[Block, Summary]] = {}
    for summary in summaries:
        runs = found.setdefault(_configuration(summary), {})
        block = Block(day_of(summary) if whole else str(summary["catalogue_digest"]), summary["seed"])
        if block in runs:
            raise InvalidInput(
                f"two runs of {summary['policy']} on {summary['scenario']} have seed {summary['seed']}",
                code="same_run_twice",
                hint="Give every run of one configuration and day a seed of its own.",
            )
        runs[block] = summary
    names = _names([next(iter(runs.values())) for runs in found.values()])
    groups = [Group(name, runs) for name, runs in zip(names, found.values(), strict=True)]
    for group in groups[1:]:
        _require_a_day(groups[0], group)
    return groups


def _configuration(summary: Summary) -> tuple[Any, ...]:
    # The search takes the seed of the luck, unless a run says otherwise: then that is part of what was run.
    usual = ("search.seed", summary["seed"])
    settings = dict(item for item in summary["settings"].items() if item != usual)
    return (summary["policy"], summary.get("policy_sha256"), _version(summary), tuple(sorted(settings.items())))


def _version(summary: Summary) -> str:
    return str(summary.get("versions", {}).get("halfhour", "unknown"))


def _require_a_day(first: Group, other: Group) -> None:
    if {block.day for block in first.runs} & {block.day for block in other.runs}:
        return
    one, two = (next(iter(group.runs.values())) for group in (first, other))
    what = f"{two['scenario']!r} is not the scenario of the first run, {one['scenario']!r}"
    if one["scenario"] == two["scenario"]:
        what = f"two scenarios are called {one['scenario']!r}: they differ in orders, promises, travel times or truth"
    raise InvalidInput(
        what, code="different_scenarios", hint="Replay the same days under every policy: only then they are paired."
    )


def _names(firsts: Sequence[Summary]) -> list[str]:
    """A name for each configuration: what it differs in from the first, as much of it as tells it from all others."""
    for most in (3, 10_000):
        names = [_name(summary, firsts[0], most) for summary in firsts]
        if len(set(names)) == len(names):
            return names
    return [f"{name} ({k})" for k, name in enumerate(names, start=1)]


def _name(summary: Summary, first: Summary, most: int) -> str:
    policy, settings = str(summary["policy"]), summary["settings"]
    words = [policy] if _version(summary) == _version(first) else [policy, _version(summary)]
    differs = [
        f"{key}={value}"
        for key, value in settings.items()
        if (key, value) != ("search.seed", summary["seed"]) and value != first["settings"].get(key)
    ]
    # A baseline brings settings of its own: they are part of its name already.
    if policy == first["policy"] or most > len(settings):
        words += differs[:most] + (["..."] if len(differs) > most else [])
    return " ".join(words)


def differences(reference: Group, other: Group, keys: Sequence[str]) -> list[Difference]:
    """Paired differences over the blocks that both have; raises InvalidInput (`no_common_seed`) where there is none."""
    blocks = _common(reference, other)
    if not blocks:
        raise InvalidInput(
            f"{reference.name} and {other.name} have no day and seed in common",
            code="no_common_seed",
            hint="Replay both with the same --seed: only then do they face the same luck.",
        )
    found = []
    for key in keys:
        pairs = [(reference.runs[block].get(key), other.runs[block].get(key)) for block in blocks]
        known = [(float(a), float(b)) for a, b in pairs if a is not None and b is not None]
        if len(known) == len(pairs):
            found.append(_difference(key, blocks, known))
    return found


def _common(reference: Group, other: Group) -> list[Block]:
    return [block for block in reference.runs if block in other.runs]


def _difference(key: str, blocks: Sequence[Block], pairs: Sequence[tuple[float, float]]) -> Difference:
    gaps = units_of(blocks, [b - a for a, b in pairs])
    references = units_of(blocks, [a for a, _ in pairs])
    values = units_of(blocks, [b for _, b in pairs])
    said = paired(gaps)
    return Difference(key, sum(references) / len(gaps), sum(values) / len(gaps), said.mean, said.half_width)


def units_of(blocks: Sequence[Block], values: Sequence[float]) -> list[float]:
    """What differences are counted by: days (means over their seeds) where there are several, else seeds.

    Two seeds of one day are not two days: the interval of a claim about the city must not shrink by them.
    """
    days: dict[str, list[float]] = {}
    for block, value in zip(blocks, values, strict=True):
        days.setdefault(block.day, []).append(value)
    return list(values) if len(days) == 1 else [sum(day) / len(day) for day in days.values()]


def remark(groups: Sequence[Group]) -> str:
    """What the noise means here: of days, of luck and the search, of the search alone, or not known."""
    said = [_counted(groups[0], group) for group in groups[1:]]
    first = min(said, key=lambda each: (each[0], each[1]))
    days, seeds = first
    if days > 1:
        text = f"Paired over {days} days; ± is half the 95 % interval of the mean difference between days."
    elif seeds > 1:
        text = f"Paired over {seeds} seeds of one day; ± is half the 95 % interval of the mean difference on this day."
    else:
        text = "One seed of one day: how much of a difference is noise is not known. Replay with several --seed values."
    runs = [summary for group in groups for summary in group.runs.values()]
    if days == 1 and not runs[0]["has_luck"]:
        text += " This scenario has no luck of its own: runs of two seeds differ by the seed of the search alone."
    if not all(summary.get("scenario_digest") for summary in runs):
        text += (
            " Some folders are of a version that wrote no digest of the whole day: that orders, promises and truth are "
            "the same is not known."
        )
    if any(not summary["complete"] for summary in runs):
        text += " Some runs were stopped early: their figures are those of a part of the day."
    return text


def _counted(reference: Group, other: Group) -> tuple[int, int]:
    """How many days both groups have, and seeds on the day that has most."""
    blocks = _common(reference, other)
    days = {block.day for block in blocks}
    return len(days), max((sum(block.day == day for block in blocks) for day in days), default=0)


def blocks_of(group: Group) -> Iterable[tuple[str, int]]:
    """The scenario's name and the seed of each run."""
    return ((str(summary["scenario"]), block.seed) for block, summary in group.runs.items())
