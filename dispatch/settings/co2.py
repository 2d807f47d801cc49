"""Grams of CO2 by profile and load, as `rules.co2` says it in one line.

    car: 170; scooter, motorcycle: 70; van: 180 + 1.5

Grams per kilometre driven, and what each unit of load on board adds to them; profiles that are not named emit nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

from dispatch.errors import InvalidSetting

KEY = "rules.co2"
USUAL = "car: 170; scooter, motorcycle: 70; ebike: 3; robot: 10; drone: 15"
MOST_G = 10_000

_GRAMS = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)(?: *\+ *(\d{1,5}(?:\.\d{1,3})?))?")


class Emission(NamedTuple):
    """Milligrams per kilometre: of the way itself, and more for each unit of load on board."""

    way_mg: int = 0
    unit_mg: int = 0

    def of(self, way_m: int, load_units: int) -> int:
        """Milligrams of a way driven with so much on board, halves rounded up."""
        return ((self.way_mg + self.unit_mg * load_units) * way_m + 500) // 1_000


NOTHING = Emission()


@functools.cache
def rates_of(text: str) -> Mapping[str, Emission]:
    """The rates of a line of `rules.co2` by profile; raises InvalidSetting naming what is wrong."""
    found: dict[str, Emission] = {}
    for clause in filter(None, map(str.strip, text.split(";"))):
        names, _, grams = clause.partition(":")
        read = _GRAMS.fullmatch(grams.strip())
        if read is None:
            raise _wrong(f"{clause!r} says no grams per kilometre")
        rate = Emission(*(round(float(part or 0) * 1_000) for part in read.groups()))
        if max(rate) > MOST_G * 1_000:
            raise _wrong(f"{clause!r} is more than {MOST_G} grams per kilometre")
        for name in map(str.strip, names.split(",")):
            if not name or name in found:
                raise _wrong(f"{name!r} stands twice" if name else f"{clause!r} names no profile")
            found[name] = rate
    return found


def check_co2(text: str) -> None:
    """Raises InvalidSetting where the text is no line of `rules.co2`."""
    rates_of(text)


def line_of(grams_per_km: Mapping[str, float]) -> str:
    """The line that says the same as a table of grams per kilometre by profile."""
    return "; ".join(f"{name}: {round(grams, 3):g}" for name, grams in grams_per_km.items())


def table_of(text: str) -> dict[str, float]:
    """Grams per kilometre of each profile that a line names, without what load adds."""
    return {name: rate.way_mg / 1_000 for name, rate in rates_of(text).items()}


def _wrong(message: str) -> InvalidSetting:
    return InvalidSetting(message, field=KEY, hint=f"For instance: {USUAL}")
