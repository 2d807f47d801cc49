"""What a setting was where a file does not state it: frozen, for ever.

Version 0.1.0 wrote only the settings that differed from its defaults into journals, run folders, catalogues, snapshots
and scenario folders.  These are its defaults; they complete whatever was written without them, so that a later default
never changes what an old file means.  A setting that is added later gets a line at the end: the value that means what
the engine did before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

DEFAULTS_0_1: Mapping[str, Any] = MappingProxyType(
    {
        "rules.batch_scope": "same_store",
        "rules.grow_until": "pickup",
        "rules.swap_until": "pickup",
        "rules.divert": False,
        "rules.empty_moves": True,
        "rules.max_batch": 4,
        "rules.max_trips": 3,
        "rules.travel_round_s": 1,
        "rules.ready_times": "exact",
        "rules.commit": "auto",
        "rules.commit_lead_s": 0,
        "rules.overdue_s": 300,
        "rules.silent_store_s": 3600,
        "rules.round_s": 10,
        "rules.round_mode": "prompt",
        "rules.round_deadline_s": 5,
        "rules.horizon_s": 3600,
        "rules.promise_s": 1800,
        "rules.offer_s": 40,
        "rules.unseen_s": 60,
        "rules.stale_s": 120,
        "rules.lost_after_s": 600,
        "rules.eta_changed_s": 120,
        "rules.ended_keep_s": 7200,
        "rules.max_open_orders": 2000,
        "prices.door_per_s": 100,
        "prices.late_per_s": 110,
        "prices.late_after_s": 2400,
        "prices.late_fixed": 0,
        "prices.fail_per_s": 110,
        "prices.fail_after_s": 5400,
        "prices.fail_fixed": 600_000,
        "prices.late_from": "placement",
        "prices.work_per_s": 10,
        "prices.scarce_work_per_s": 40,
        "prices.scarce_wait_s": 240,
        "prices.drive_per_s": 0,
        "prices.metre": 0,
        "prices.skip": 3_600_000,
        "prices.change_told_place": 6000,
        "prices.change_told_order": 12000,
        "search.recipe": "lns",
        "search.work_per_order": 480,
        "search.seed": 1,
        "search.threads": 1,
        "reposition.memory_s": 10800,
        "reposition.prior": 0.5,
        "reposition.pooled": 5.0,
        "reposition.horizon_s": 1200,
        "reposition.min_gain_s": 3,
        "reposition.max_trip_s": 900,
        "reposition.every_s": 300,
        "reposition.soon_free_s": 900,
        "prices.late_before_s": 0,
        "prices.fail_after_promise_s": 0,
        "reposition.priced": False,
        "reposition.quiet_after": 0.0,
        "rules.give_up_s": 0,
        "rules.promise_rule": "fixed",
        "rules.promise_odds": False,
        "rules.tiers": "",
        "rules.passed_over_s": 900,
        "rules.tariff": "",
        "rules.co2": "",
        "prices.co2_g": 0,
        "rules.hours": "",
        "prices.fair_work_per_s": 0,
    }
)
