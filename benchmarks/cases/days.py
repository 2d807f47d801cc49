"""Whole days through heap, city and engine: decisions and their quality, and how many inputs a second."""

from __future__ import annotations

from typing import Any

from benchmarks.harness import Bound, Case, Sample, Work
from benchmarks.inputs.synthetic_days import Size, day
from dispatch.events import Event
from dispatch.inputs import Input, RoundSolved
from dispatch.settings.presets import DEFAULT, PRESETS
from halfhour.policies import choose
from sim.replay.replay import replay
from sim.scenario import Scenario

LUNCH = Size(orders=300, riders=50, stores=30)
PEAK = Size(orders=2_000, riders=350, stores=120)
EVENTS = Size(orders=1_000, riders=175, stores=60)
LARGE = Size(orders=30_000, riders=1_500, stores=600, hours=14.0)

# How much worse a policy may get unnoticed: seconds of door time, failed orders, seconds of driving.
KPIS = {
    "click_to_door_mean_s": Bound("lower", share=0.01),
    "lateness_mean_s": Bound("lower", share=0.05, slack=2.0),
    "undelivered": Bound("lower", slack=0.0),
    "driven_s_per_order": Bound("lower", share=0.05),
    "on_time_share": Bound("higher", slack=0.01),
}


def replayed(scenario: Scenario, policy: str, recipe: str | None = None) -> Sample:
    """Replay a day and count what was done."""
    counted = {"inputs": 0, "events": 0, "rounds": 0, "work": 0}

    def count(item: Input, events: tuple[Event, ...]) -> None:
        counted["inputs"] += 1
        counted["events"] += len(events)
        if isinstance(item, RoundSolved):
            counted["rounds"] += 1
            counted["work"] += item.work

    chosen = choose(policy, recipe=recipe).policy
    summary = replay(scenario, chosen, on_event=count).summary
    return Sample(counted, {name: float(summary[name]) for name in KPIS}, amount=counted["inputs"])


def _prepared(size: Size, policy: str, recipe: str | None = None, **rules: Any) -> Work:
    scenario = day(size, **rules)
    return lambda: replayed(scenario, policy, recipe)


def _day(name: str, size: Size, policy: str, recipe: str | None = None, *, quick: bool = True, **rules: Any) -> Case:
    return Case(
        f"day-{name}/{size.orders}x{size.riders}",
        lambda: _prepared(size, policy, recipe, **rules),
        ("quick", "full") if quick else ("full",),
        repeats=2 if quick else 1,
        unit="inputs",
        bounds=KPIS,
        memory=False,
    )


BEAT: dict[str, Any] = {"rules__round_mode": "beat", "rules__round_s": 60}
SHIPPED: dict[str, Any] = {key.replace(".", "__"): value for key, value in PRESETS[DEFAULT].values.items()}
"""The other days keep the rules and prices of 0.1.0, so that their figures stay comparable."""

CASES = (
    _day("halfhour", LUNCH, "halfhour", **BEAT),
    _day("as-shipped", LUNCH, "halfhour", quick=False, **BEAT, **SHIPPED),
    _day("any-store", LUNCH, "halfhour", rules__mix="any", **BEAT),
    _day("insertion", LUNCH, "halfhour", "insertion", **BEAT),
    _day("nearest", LUNCH, "nearest", **BEAT),
    _day("events", EVENTS, "halfhour", "insertion", **BEAT),
    _day("halfhour", PEAK, "halfhour", quick=False, **BEAT),
    _day("halfhour", LARGE, "halfhour", quick=False, rules__round_mode="beat", rules__round_s=30),
    _day("as-shipped", LARGE, "halfhour", quick=False, rules__round_mode="beat", rules__round_s=30, **SHIPPED),
)
