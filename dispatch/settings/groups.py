"""The groups of settings: rules, prices, search, empty moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dispatch.people.hours import check_hours
from dispatch.settings.co2 import USUAL as USUAL_CO2
from dispatch.settings.co2 import check_co2
from dispatch.settings.mix import check_mix
from dispatch.settings.presets import DEFAULT, PRESETS
from dispatch.settings.tariff import check_tariff
from dispatch.settings.tiers import check_tiers


def _setting(
    default: Any,
    doc: str,
    *,
    choices: tuple[str, ...] = (),
    low: float | None = None,
    high: float | None = None,
    live: bool = True,
    check: Callable[[str], None] | None = None,
) -> Any:
    """A field with its explanation.

    `live` says whether it may change while the service runs; `check` raises InvalidSetting for a text it cannot take.
    """
    meta = {"doc": doc, "choices": choices, "low": low, "high": high, "live": live, "check": check}
    return field(default=default, metadata=meta)


# Within these no price of a round leaves int64, and no instant its ticks.
MOST_POINTS_EACH, MOST_POINTS, LONGEST_S = 100_000, 10**12, 366 * 86_400


_USUAL = PRESETS[DEFAULT].values
"""Defaults of the settings that presets state: what ships is a preset."""


UNTIL = ("told", "departure", "pickup")


@dataclass(frozen=True, slots=True)
class Rules:
    """Operating rules: what is allowed, and when things become irrevocable."""

    mix: str = _setting(
        _USUAL["rules.mix"],
        "Which goods may ride together: any, same_store (one store until the bag is empty), alone; or by class of "
        "goods, as in hot_food: same_store; grocery, parcel: any (also own_class; others stands for all not named).  "
        "Of two classes the stricter word counts.",
        check=check_mix,
    )
    tiers: str = _setting(
        "",
        "Member tiers and what each gives, as in gold: promise 1500, late 300, ahead 600; plus: late 150 (seconds "
        "promised; percent of the price of lateness; seconds that an order counts as due earlier where more wait than "
        "a round may plan).  Empty: nobody has one.",
        check=check_tiers,
    )
    passed_over_s: int = _setting(
        900,
        "An order so long past its promise counts like the highest tier's, then more: no tier passes it over.",
        low=0,
        high=86_400,
    )
    tariff: str = _setting(
        "",
        "What a delivery is charged and what serving it costs, in minor units (docs/kinds.md), as in base 250; km 60; "
        "peak 125: Mo-Fr 11:30-13:30; tier gold: 50; cost hour 1800.  Empty: orders have no fee.",
        check=check_tariff,
    )
    co2: str = _setting(
        USUAL_CO2,
        "Grams of CO2 per kilometre by profile, and what each unit of load on board adds, as in car: 170; van: 180 + "
        "1.5.  Profiles not named emit nothing; empty: nothing is counted on the way.",
        check=check_co2,
    )
    hours: str = _setting(
        "",
        "Hours and rest by law, in seconds (docs/riders.md), as in shift 36000; rest 39600; stretch 16200; break 1800: "
        "7200-21600.  Plans leave room for breaks, and riders are given them.  Empty: shifts alone count.",
        check=check_hours,
    )
    add_orders_until: str = _setting("pickup", "Until when orders may be added to a told stop.", choices=UNTIL)
    remove_orders_until: str = _setting(
        "pickup", "Until when orders may be taken away from a told stop.", choices=UNTIL
    )
    divert: bool = _setting(False, "May a rider under way be sent somewhere else?")
    empty_moves: bool = _setting(
        _USUAL["rules.empty_moves"], "May an idle rider be sent empty to a store where demand is expected?"
    )
    max_batch: int = _setting(_USUAL["rules.max_batch"], "Most orders picked up in one trip.", low=1, high=12)
    max_trips: int = _setting(_USUAL["rules.max_trips"], "Trips planned ahead for one rider.", low=1, high=99)
    travel_round_s: int = _setting(1, "Travel times are rounded up to multiples of this many seconds.", low=1, high=600)
    ready_times: str = _setting(
        "exact", "What is known of ready times: each order's own, or its store's mean.", choices=("exact", "store_mean")
    )
    commit: str = _setting(
        _USUAL["rules.commit"],
        "When a rider is told to go: at the last minute that delays nothing, or at once.  auto: last_moment where "
        "ready times are exact, at_once where they are estimates.",
        choices=("auto", "last_moment", "at_once"),
    )
    commit_lead_s: int = _setting(
        0, "Seconds before the last responsible moment at which a stop is told.", low=0, high=900
    )
    overdue_grace_s: int = _setting(
        300,
        "With ready times as store means, goods not reported ready are expected no sooner than in this many seconds.",
        low=0,
        high=3600,
    )
    store_silence_s: int = _setting(
        3600,
        "With ready times as store means, goods that nobody has called ready this long after they were expected are "
        "told all the same to the rider who has come for them: they ask at the counter.",
        low=60,
        high=86400,
    )
    round_s: int = _setting(10, "At most this many seconds between two rounds.", low=1, high=3600)
    round_mode: str = _setting(
        "prompt",
        "prompt: a round opens at most one second after a new order.  beat: only on the beat of round_s.",
        choices=("prompt", "beat"),
    )
    round_deadline_s: int = _setting(5, "Seconds a round may take before insertion alone answers it.", low=1, high=600)
    horizon_s: int = _setting(
        3600, "Riders busy or not yet on duty are planned when free within this time.", low=0, high=14400
    )
    promise_rule: str = _setting(
        "fixed",
        "What an order is promised that names no deadline: promise_s after its placement, the instant by which nine in "
        "ten like it come (a trial insertion's, once that is calibrated), or the later of both.",
        choices=("fixed", "p90", "later"),
    )
    promise_odds: bool = _setting(
        True, "Say of each order when it comes with what probability, and learn from what was delivered?"
    )
    promise_s: int = _setting(1800, "The promise of an order that names none: placed_at + this.", low=60, high=86400)
    offer_s: int = _setting(40, "Seconds a crowd rider has to answer an offer.", low=1, high=3600)
    route_ack_timeout_s: int = _setting(
        60, "A told route that no phone has shown after this time is withdrawn (0: never).", low=0, high=3600
    )
    stale_s: int = _setting(120, "A rider unheard of for this long gets no new work (0: never).", low=0, high=86400)
    lost_after_s: int = _setting(600, "A rider unheard of for this long counts as lost (0: never).", low=0, high=86400)
    eta_changed_s: int = _setting(120, "A change of the expected delivery beyond this is announced.", low=1, high=3600)
    ended_keep_s: int = _setting(
        7200,
        "An ended order leaves the board after this time; until then a later fact may still correct it (0: never).",
        low=0,
        high=604_800,
    )
    give_up_s: int = _setting(
        0,
        "An order that nobody can take ends so long after its promise (its release, if later); it is announced ten "
        "minutes before, or half of this where that is less (0: never).",
        low=0,
        high=604_800,
    )
    max_open_orders: int = _setting(
        2000, "Orders planned in one round; the rest are kept with reason BUDGET.", low=1, high=100000
    )


@dataclass(frozen=True, slots=True)
class Prices:
    """What a plan costs, in points; one point is a hundredth of a second of one order's door time."""

    door_per_s: int = _setting(
        _USUAL["prices.door_per_s"], "Per second from placement to delivery.", low=0, high=MOST_POINTS_EACH
    )
    late_from: str = _setting(
        _USUAL["prices.late_from"],
        "What lateness counts from: the promise of the order, or its placement and late_after_s.",
        choices=("promise", "placement"),
    )
    late_per_s: int = _setting(
        _USUAL["prices.late_per_s"], "The same beyond the late threshold.", low=0, high=MOST_POINTS_EACH
    )
    late_before_s: int = _setting(
        _USUAL["prices.late_before_s"],
        "The late threshold, seconds before the promise (late_from=promise).",
        low=0,
        high=LONGEST_S,
    )
    late_after_s: int = _setting(
        2400, "The late threshold, seconds after placement (late_from=placement).", low=0, high=LONGEST_S
    )
    late_fixed: int = _setting(_USUAL["prices.late_fixed"], "Charge for passing it.", low=0, high=MOST_POINTS)
    fail_per_s: int = _setting(
        _USUAL["prices.fail_per_s"], "The same beyond the failure threshold.", low=0, high=MOST_POINTS_EACH
    )
    fail_after_s: int = _setting(
        _USUAL["prices.fail_after_s"],
        "The failure threshold, seconds after placement, no sooner than the late one.",
        low=0,
        high=LONGEST_S,
    )
    fail_after_promise_s: int = _setting(
        _USUAL["prices.fail_after_promise_s"],
        "The failure threshold, seconds after the promise, whenever the order was placed (0: fail_after_s counts).",
        low=0,
        high=LONGEST_S,
    )
    fail_fixed: int = _setting(_USUAL["prices.fail_fixed"], "Charge for passing it.", low=0, high=MOST_POINTS)
    work_per_s: int = _setting(
        _USUAL["prices.work_per_s"],
        "Per second a rider drives or serves inside their shift.",
        low=0,
        high=MOST_POINTS_EACH,
    )
    scarce_work_per_s: int = _setting(
        _USUAL["prices.scarce_work_per_s"],
        "Added to it in full where planned pickups wait scarce_wait_s; below 0, work is cheaper then.",
        low=-MOST_POINTS_EACH,
        high=MOST_POINTS_EACH,
    )
    scarce_wait_s: int = _setting(
        240,
        "Riders are scarce when ready orders wait this long for their planned pickup, on average.",
        low=1,
        high=LONGEST_S,
    )
    fair_work_per_s: int = _setting(
        0,
        "Added to a second of work of a rider who has brought twice as many orders an hour as all on duty, taken from "
        "it for one who has brought none, in between in proportion (0: earnings are nobody's price).",
        low=0,
        high=MOST_POINTS_EACH,
    )
    drive_per_s: int = _setting(0, "Per second a rider drives.", low=0, high=MOST_POINTS_EACH)
    drive_per_metre: int = _setting(0, "Per metre driven.", low=0, high=MOST_POINTS_EACH)
    co2_g: int = _setting(
        0, "Per gram of CO2 (rules.co2, without what load adds), in whole points a metre.", low=0, high=MOST_POINTS_EACH
    )
    unserved: int = _setting(3_600_000, "For leaving an order without a rider in the plan.", low=0, high=MOST_POINTS)
    change_told_place: int = _setting(6_000, "For taking a told, unstarted place away (live).", low=0, high=MOST_POINTS)
    change_told_order: int = _setting(12_000, "For adding or taking away a told order (live).", low=0, high=MOST_POINTS)


@dataclass(frozen=True, slots=True)
class Search:
    """How hard a round is planned."""

    recipe: str = _setting("lns", "What plans a round.", choices=("insertion", "lns", "ortools", "lns+ortools"))
    work_per_order: int = _setting(
        _USUAL["search.work_per_order"], "Insertions tried per open order and round.", low=0, high=1_000_000
    )
    seed: int = _setting(
        1, "Seed of the search; each round uses a function of it and the round's number.", low=0, high=2**63 - 1
    )
    threads: int = _setting(1, "Threads that search a large round in clusters.", low=1, high=64, live=False)


@dataclass(frozen=True, slots=True)
class Reposition:
    """Empty moves by expected coverage."""

    memory_s: int = _setting(10_800, "Memory of a store's order rate.", low=60, high=LONGEST_S)
    prior: float = _setting(0.5, "Orders a store is believed to have had before the first.", low=0.0, high=1e6)
    pooled: float = _setting(
        5.0, "Weight, in orders, of all stores' notice times in each store's own.", low=0.0, high=1e6
    )
    horizon_s: int = _setting(1200, "Time over which a gain is enjoyed.", low=0, high=LONGEST_S)
    min_gain_s: int = _setting(3, "Moves that save less expected waiting are not made.", low=0, high=LONGEST_S)
    priced: bool = _setting(
        _USUAL["reposition.priced"],
        "Must an empty move be worth its driving, as work is priced?  Nobody is then left on the way to a place where "
        "they have nothing to do.",
    )
    quiet_after: float = _setting(
        _USUAL["reposition.quiet_after"],
        "After so many expected orders in a row that did not come, the day counts as over (0: never).",
        low=0.0,
        high=1e6,
    )
    max_trip_s: int = _setting(900, "Longest empty move.", low=0, high=LONGEST_S)
    every_s: int = _setting(300, "Empty moves are reconsidered this often.", low=1, high=LONGEST_S)
    soon_free_s: int = _setting(900, "Riders done within this time count for coverage.", low=0, high=LONGEST_S)
