"""What is known of an experiment by now, for people and for programs."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dispatch.version import __version__
from halfhour.lab.experiment import Experiment
from halfhour.lab.folder import write_json
from halfhour.lab.judging import NOISE, SMALL, Judgement, Look
from halfhour.lab.running import LostRun
from halfhour.lab.runs import ExperimentDay, PlannedRun
from halfhour.report.kpi_table import BY_KEY, FIGURES

REPORT, TABLE, PAGE = "report.json", "runs.csv", "report.md"


def as_json(
    experiment: Experiment,
    days: Sequence[ExperimentDay],
    runs: Sequence[PlannedRun],
    finished: int,
    lost: Sequence[LostRun],
    looks: Sequence[Look],
) -> dict[str, Any]:
    """Everything, as JSON values."""
    return {
        "name": experiment.name,
        "version": __version__,
        "complete": finished == len(runs),
        "reference": experiment.arms[0].name,
        "arms": [arm.name for arm in experiment.arms],
        "days": [day.name for day in days],
        "seeds": list(experiment.seeds),
        "blocks": experiment.blocks,
        "runs": len(runs),
        "finished": finished,
        "lost": [{"run": one.run.title, "why": one.why} for one in lost],
        "alpha": experiment.alpha,
        "looks": list(experiment.looks),
        "least_effect": dict(experiment.least_effect),
        "judged": [_look(look) for look in looks],
    }


def _look(look: Look) -> dict[str, Any]:
    return {
        "blocks": look.blocks,
        "complete": look.complete,
        "unit": look.unit,
        "differences": [
            {
                "arm": one.arm,
                "figure": one.key,
                "reference": one.reference,
                "value": one.value,
                "difference": one.paired.mean,
                "half_width": one.paired.half_width,
                "deviation": one.paired.deviation,
                "pairs": one.paired.pairs,
                "p_t": one.paired.p_t,
                "p_flip": one.paired.p_flip,
                "p_holm": one.p_holm,
                "verdict": one.verdict or None,
                "more": one.more,
            }
            for one in look.judgements
        ],
    }


def write_all(
    folder: Path, report: Mapping[str, Any], looks: Sequence[Look], done: Mapping[PlannedRun, Mapping[str, Any]]
) -> None:
    """Write report.json, report.md and runs.csv."""
    write_json(folder / REPORT, report)
    (folder / PAGE).write_text("\n".join(page(report, looks)) + "\n", encoding="utf-8")
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("arm", "day", "seed", "key", *(figure.key for figure in FIGURES), "decision_digest"))
        for run, summary in done.items():
            figures = [summary.get(figure.key) for figure in FIGURES]
            writer.writerow((run.arm.name, run.day.name, run.seed, run.key, *figures, summary["decision_digest"]))


def page(report: Mapping[str, Any], looks: Sequence[Look]) -> Iterator[str]:
    """The report as lines of Markdown."""
    yield f"# {report['name']}"
    yield ""
    yield from standing(report, looks)
    for look in looks:
        yield ""
        yield f"## After {look.blocks} blocks"
        yield ""
        yield "| " + " | ".join(COLUMNS) + " |"
        yield "|---" * len(COLUMNS) + "|"
        for one in judged(look):
            yield "| " + " | ".join(cells(one, look.unit)) + " |"
    if looks:
        yield ""
        yield "## Further figures"
        yield ""
        yield "They are not judged: whoever looks at many finds some that differ by chance."
        yield ""
        yield "| " + " | ".join(COLUMNS[:5]) + " |"
        yield "|---" * 5 + "|"
        for one in looks[-1].judgements:
            if not one.verdict:
                yield "| " + " | ".join(cells(one, looks[-1].unit)[:5]) + " |"


def standing(report: Mapping[str, Any], looks: Sequence[Look]) -> Iterator[str]:
    """How far it has come and what its figures are about, a sentence each."""
    days, seeds = len(report["days"]), len(report["seeds"])
    each = "1 seed" if seeds == 1 else f"{seeds} seeds"
    yield (
        f"{report['finished']:,} of {report['runs']:,} runs: {len(report['arms'])} configurations on "
        f"{report['blocks']:,} blocks of a day and a seed ({days} days, {each} each); "
        f"{report['reference']} is the reference."
    )
    if report["lost"]:
        first = report["lost"][0]
        yield f"{len(report['lost'])} runs are lost, the first: {first['run']} ({first['why']})."
    if not looks:
        yield f"Nothing is judged before {report['looks'][0]} blocks are replayed: that was declared."
        return
    level = 1 - report["alpha"] / len(report["looks"])
    about = (
        "Each day counts once: what is said holds for days like these."
        if looks[-1].unit == "days"
        else "Each block counts once: what is said holds for the luck on these days."
    )
    yield f"± is half the {level:.1%} interval of the mean paired difference. {about}"
    if len(report["looks"]) > 1:
        yield f"{len(report['looks'])} looks were declared: each has its share of alpha = {report['alpha']:g}."


COLUMNS = ("Configuration", "Figure", "Reference", "Value", "Difference", "p (t)", "p (signs)", "p (Holm)", "Verdict")


def judged(look: Look) -> list[Judgement]:
    """The figures that were declared to be judged."""
    return [one for one in look.judgements if one.verdict]


def cells(one: Judgement, unit: str) -> list[str]:
    """A judgement as text, in the order of COLUMNS."""
    figure, said = BY_KEY[one.key], one.paired
    p_values = ["–" if p is None else _p(p) for p in (said.p_t, said.p_flip, one.p_holm)]
    return [
        one.arm,
        figure.title,
        figure.write(one.reference),
        figure.write(one.value),
        difference(one),
        *p_values,
        verdict(one, unit),
    ]


def sentence(one: Judgement, unit: str) -> str:
    """A judgement as one line for a terminal."""
    figure, said = BY_KEY[one.key], one.paired
    p = ""
    if one.p_holm is not None and said.p_t is not None:
        p = f" (p {_p(said.p_t)}, by signs {_p(said.p_flip)}, Holm {_p(one.p_holm)})"
    values = f"{figure.write(one.reference)} → {figure.write(one.value)}"
    return f"{one.arm}: {figure.title}: {values}, {difference(one)} over {said.pairs} {unit}: {verdict(one, unit)}{p}"


def difference(one: Judgement) -> str:
    """The difference with its noise, both in the unit that suits the larger."""
    figure, said = BY_KEY[one.key], one.paired
    sign = "+" if said.mean > 0 else "−" if said.mean < 0 else ""
    largest = max(abs(said.mean), said.half_width or 0.0)

    def written(value: float) -> str:
        if figure.key.endswith(("_s", "_s_per_order")) and largest < 120:
            return f"{value:.1f} s"
        return figure.write(value).replace("%", " points")

    noise = "" if said.half_width is None else f" ± {written(said.half_width)}"
    return f"{sign}{written(abs(said.mean))}{noise}"


def verdict(one: Judgement, unit: str) -> str:
    """The verdict, with what is missing for another."""
    if one.verdict == NOISE:
        return f"{NOISE}, {one.more:,} {unit} more" if one.more else f"{NOISE}, though there were enough {unit}"
    if one.verdict == SMALL and one.more:
        return f"{SMALL} so far, {one.more:,} {unit} more"
    return one.verdict


def _p(value: float) -> str:
    return "< .0001" if value < 1e-4 else f"{value:.4f}".removeprefix("0")
