"""The fee of an order by the tariff in force, part by part: pure arithmetic in minor units, halves rounded up."""

from __future__ import annotations

from dispatch.model import Fee
from dispatch.settings.tariff import USUAL_PERCENT, Tariff, rounded


def charged(tariff: Tariff, *, way_m: int, way_s: int, placed_at: int, tier: str) -> Fee:
    """What an order pays whose store and door lie `way_m` metres and `way_s` seconds apart."""
    parts = {
        "base": tariff.amount("base"),
        "distance": rounded(tariff.amount("km") * way_m, 1_000),
        "time": rounded(tariff.amount("minute") * way_s, 60),
    }
    usual = sum(parts.values())
    parts["peak"] = rounded(usual * (tariff.peak_percent(placed_at) - USUAL_PERCENT), 100)
    before = sum(parts.values())
    parts["tier"] = rounded(before * (tariff.tiers.get(tier, USUAL_PERCENT) - USUAL_PERCENT), 100)
    due = sum(parts.values())
    amount = max(due, tariff.amount("least"))
    amount = min(amount, tariff.amounts.get("most", amount))
    parts["bounds"] = amount - due
    return Fee(amount, tuple((name, part) for name, part in parts.items() if part))
