"""How KPIs are written: name, unit and better direction of every figure that people compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple


class Figure(NamedTuple):
    """One line of a KPI table.  `sense`: +1 more is better, -1 less is better, 0 neither."""

    key: str
    title: str
    write: Callable[[float], str]
    sense: int
    always: bool = True
    """False: left out of tables in which no run can say it."""


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"


def _share(value: float) -> str:
    return f"{value:.1%}"


def _kilometres(metres: float) -> str:
    return f"{metres / 1000:.2f} km"


def _grams(value: float) -> str:
    return f"{value:,.0f} g"


def _plain(value: float) -> str:
    return f"{value:,.0f}"


def _two(value: float) -> str:
    return f"{value:.2f}"


FIGURES = (
    Figure("orders", "Orders", _plain, 0),
    Figure("delivered", "Delivered", _plain, 1),
    Figure("undelivered", "Undelivered", _plain, -1),
    Figure("cancelled", "Cancelled", _plain, -1),
    Figure("on_time_share", "On time", _share, 1),
    Figure("lateness_mean_s", "Lateness, mean", _minutes, -1),
    Figure("click_to_door_mean_s", "Click to door, mean", _minutes, -1),
    Figure("click_to_door_p90_s", "Click to door, 90th percentile", _minutes, -1),
    Figure("ready_to_pickup_mean_s", "Ready to pickup, mean", _minutes, -1),
    Figure("ready_to_door_mean_s", "Ready to door, mean", _minutes, -1),
    Figure("orders_per_rider_hour", "Orders per rider-hour", _two, 1),
    Figure("batched_share", "Batched orders", _share, 0),
    Figure("driven_s_per_order", "Driven per order", _minutes, -1),
    Figure("driven_m_per_order", "Way per order", _kilometres, -1),
    Figure("co2_g_per_order", "CO2 per order", _grams, -1),
    Figure("kitchen_mean_s", "Of it: kitchen", _minutes, 0),
    Figure("waiting_mean_s", "Of it: waiting for a rider", _minutes, -1),
    Figure("driving_mean_s", "Of it: driving", _minutes, -1),
    Figure("batching_mean_s", "Of it: batching", _minutes, -1),
    Figure("handover_mean_s", "Of it: handover", _minutes, 0),
    Figure("empty_driven_share", "Driven empty, of all driving", _share, -1),
    Figure("load_factor", "Orders on board of a loaded rider", _two, 0),
    Figure("promise_p90_share", "Come by the P90 of the first plan", _share, 0),
    Figure("promise_on_time_said", "On time, as said with the first plan", _share, 0),
    Figure("utilisation", "Utilisation", _share, 0),
    Figure("cost_per_order", "Rider pay per order", _two, -1),
    Figure("fee_mean", "Fee, minor units", _plain, 0, always=False),
    Figure("marginal_cost_mean", "Cost of serving, as placed, minor units", _plain, -1, always=False),
    Figure("losing_share", "Charged less than that", _share, -1, always=False),
)
"""In the order in which every table shows them."""

BY_KEY = {figure.key: figure for figure in FIGURES}


def shown(summaries: Iterable[Mapping[str, Any]]) -> list[Figure]:
    """The lines of a table of these summaries."""
    known = {key for summary in summaries for key, value in summary.items() if value is not None}
    return [figure for figure in FIGURES if figure.always or figure.key in known]


def written(figure: Figure, summary: Mapping[str, Any]) -> str:
    """A figure of a summary as text, a dash where it cannot be said."""
    value = summary.get(figure.key)
    return "–" if value is None else figure.write(value)


def verdict(figure: Figure, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[str, str]:
    """The difference to another run as text, and `better`, `worse` or an empty word."""
    mine, other = ours.get(figure.key), theirs.get(figure.key)
    if mine is None or other is None:
        return "", ""
    difference = mine - other
    text = figure.write(abs(difference))
    if text == figure.write(0.0):
        return "same", ""
    sign = "+" if difference > 0 else "−"
    word = "" if figure.sense == 0 else ("better" if difference * figure.sense > 0 else "worse")
    return sign + text.replace("%", " points"), word
