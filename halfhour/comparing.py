"""Finished replays side by side: paired differences over seeds, and which of them exceed the noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from routing.errors import InvalidInput

T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Student's t, 97.5 %, for 1 to 30 degrees of freedom; beyond that 1.96."""


class Group(NamedTuple):
    """Runs of one configuration: its name, and its summaries by seed."""

    name: str
    runs: dict[int, Mapping[str, Any]]


class Difference(NamedTuple):
    """One figure of a group against the first: means over the seeds both have, and the paired difference."""

    key: str
    reference: float
    value: float
    difference: float
    noise: float | None
    """Half the 95 % interval of the mean paired difference; None where fewer than two seeds are paired."""

    @property
    def exceeds_noise(self) -> bool | None:
        """True where the difference is larger than the noise, None where the noise is not known."""
        return None if self.noise is None else abs(self.difference) > self.noise


def grouped(summaries: Sequence[Mapping[str, Any]]) -> list[Group]:
    """The runs by configuration, in order of appearance.

    Raises InvalidInput (`different_scenarios`, `same_run_twice`) where they cannot be set side by side.
    """
    first = summaries[0]
    found: dict[tuple[Any, ...], Group] = {}
    for summary in summaries:
        if summary["catalogue_digest"] != first["catalogue_digest"]:
            raise InvalidInput(
                f"{summary['scenario']!r} is not the scenario of the first run, {first['scenario']!r}",
                code="different_scenarios",
                hint="Compare runs of one scenario.",
            )
        settings = {key: value for key, value in summary["settings"].items() if key != "search.seed"}
        key = (summary["policy"], summary.get("policy_sha256"), tuple(sorted(settings.items())))
        group = found.setdefault(key, Group(_name(summary, first), {}))
        if summary["seed"] in group.runs:
            raise InvalidInput(
                f"two runs of {group.name} have seed {summary['seed']}",
                code="same_run_twice",
                hint="Give every run of one configuration a seed of its own.",
            )
        group.runs[summary["seed"]] = summary
    return list(found.values())


def _name(summary: Mapping[str, Any], first: Mapping[str, Any]) -> str:
    """The policy, and the settings in which this run differs from the first."""
    differs = [
        f"{key}={value}"
        for key, value in summary["settings"].items()
        if key != "search.seed" and value != first["settings"].get(key)
    ]
    words = " ".join(differs[:3]) + (" ..." if len(differs) > 3 else "")
    is_own = summary["policy"] != first["policy"]
    return str(summary["policy"]) + (f" {words}" if words and not is_own else "")


def differences(reference: Group, other: Group, keys: Sequence[str]) -> list[Difference]:
    """Paired differences over the seeds that both have; raises InvalidInput (`no_common_seed`) where there is none."""
    seeds = sorted(reference.runs.keys() & other.runs.keys())
    if not seeds:
        raise InvalidInput(
            f"{reference.name} and {other.name} have no seed in common",
            code="no_common_seed",
            hint="Replay both with the same --seed: only then do they face the same luck.",
        )
    found = []
    for key in keys:
        pairs = [(reference.runs[seed].get(key), other.runs[seed].get(key)) for seed in seeds]
        known = [(float(a), float(b)) for a, b in pairs if a is not None and b is not None]
        if len(known) == len(pairs):
            found.append(_difference(key, known))
    return found


def _difference(key: str, pairs: Sequence[tuple[float, float]]) -> Difference:
    gaps = [b - a for a, b in pairs]
    count = len(gaps)
    mean = sum(gaps) / count
    noise = None
    if count > 1:
        variance = sum((gap - mean) ** 2 for gap in gaps) / (count - 1)
        t = T_975[count - 2] if count - 2 < len(T_975) else 1.96
        noise = t * math.sqrt(variance / count)
    return Difference(key, sum(a for a, _ in pairs) / count, sum(b for _, b in pairs) / count, mean, noise)


def remark(groups: Sequence[Group]) -> str:
    """What the noise means here: of the world and the search, of the search alone, or not known."""
    runs = next(iter(groups[0].runs.values()))
    seeds = min(len(groups[0].runs.keys() & group.runs.keys()) for group in groups)
    if seeds < 2:
        text = "One seed only: how much of a difference is noise is not known. Replay both with several --seed values."
    else:
        text = f"Paired over {seeds} seeds; ± is half the 95 % interval of the mean difference."
    if not runs["has_luck"]:
        text += " This scenario has no luck of its own: runs of two seeds differ by the seed of the search alone."
    return text
