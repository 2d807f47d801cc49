"""What an experiment's results say: differences to the reference arm, tested as its file declared beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from halfhour.comparing import Block, units_of
from halfhour.lab.experiment import Experiment
from halfhour.lab.statistics.paired import Paired, holm, needed, paired
from halfhour.report.kpi_table import BY_KEY, FIGURES

Summary = Mapping[str, Any]
Results = Mapping[str, Mapping[Block, Summary]]
"""Summaries by the arm's name and the block."""

BETTER, WORSE, DIFFERS = "better", "worse", "differs"
SMALL = "smaller than the least effect"
NONE = "no difference as large as the least effect"
NOISE = "inside the noise"
UNKNOWN = "not known"


class Judgement(NamedTuple):
    """One figure of one arm against the reference."""

    arm: str
    key: str
    reference: float
    value: float
    paired: Paired
    p_holm: float | None
    """Of the t test, adjusted for all figures and arms that are judged at this look; None for figures that are not."""
    verdict: str
    more: int
    """Units (days or blocks) still needed to show the least effect; 0 where there are enough or none is stated."""


class Look(NamedTuple):
    """Everything judged after a declared number of blocks."""

    blocks: int
    complete: int
    """Of them, those that every arm has a result of."""
    unit: str
    judgements: tuple[Judgement, ...]


def looks_reached(
    experiment: Experiment, blocks: Sequence[Block], results: Results, lost: Sequence[Block]
) -> list[Look]:
    """The declared looks whose blocks have all been replayed or lost, each judged on its own blocks."""
    found = []
    for look in experiment.looks:
        complete = [block for block in blocks[:look] if all(block in results[arm.name] for arm in experiment.arms)]
        if len(complete) + sum(block in lost for block in blocks[:look] if block not in complete) < look:
            break
        found.append(_judged(experiment, look, complete, results))
    return found


def _judged(experiment: Experiment, look: int, blocks: list[Block], results: Results) -> Look:
    """All figures of all arms on these blocks; the judged ones are tested together."""
    several_days = len({block.day for block in blocks}) > 1
    unit = "days" if experiment.units == "days" and several_days else "blocks"
    alpha = experiment.alpha / len(experiment.looks)
    reference = experiment.arms[0].name
    found = []
    for arm in experiment.arms[1:]:
        for figure in FIGURES:
            pairs = [
                (results[reference][block].get(figure.key), results[arm.name][block].get(figure.key))
                for block in blocks
            ]
            known = [(float(a), float(b)) for a, b in pairs if a is not None and b is not None]
            if known and len(known) == len(pairs):
                found.append(_difference(arm.name, figure.key, blocks, known, unit, alpha))
    tested = [k for k, one in enumerate(found) if one.key in experiment.least_effect and one.paired.p_t is not None]
    adjusted = holm([found[k].paired.p_t or 0.0 for k in tested])
    p_holm = dict(zip(tested, adjusted, strict=True))
    return Look(
        look,
        len(blocks),
        unit,
        tuple(
            _with_verdict(one, p_holm.get(k), experiment.least_effect.get(one.key), alpha)
            for k, one in enumerate(found)
        ),
    )


def _difference(
    arm: str, key: str, blocks: list[Block], pairs: list[tuple[float, float]], unit: str, alpha: float
) -> Judgement:
    columns = ([a for a, _ in pairs], [b for _, b in pairs], [b - a for a, b in pairs])
    references, values, gaps = (units_of(blocks, column) if unit == "days" else column for column in columns)
    count = len(gaps)
    return Judgement(arm, key, sum(references) / count, sum(values) / count, paired(gaps, alpha), None, "", 0)


def _with_verdict(one: Judgement, p_holm: float | None, least: float | None, alpha: float) -> Judgement:
    said = one.paired
    if least is None:
        return one
    if p_holm is None or said.deviation is None or said.half_width is None:
        return one._replace(verdict=UNKNOWN)
    if p_holm < alpha and abs(said.mean) >= least:
        sense = BY_KEY[one.key].sense
        verdict = DIFFERS if sense == 0 else (BETTER if said.mean * sense > 0 else WORSE)
        return one._replace(p_holm=p_holm, verdict=verdict)
    if abs(said.mean) + said.half_width < least:
        return one._replace(p_holm=p_holm, verdict=SMALL if p_holm < alpha else NONE)
    if p_holm < alpha:
        return one._replace(p_holm=p_holm, verdict=SMALL, more=_more(said, least, alpha))
    return one._replace(p_holm=p_holm, verdict=NOISE, more=_more(said, least, alpha))


def _more(said: Paired, least: float, alpha: float) -> int:
    return max(0, needed(said.deviation or 0.0, least, alpha) - said.pairs)
