"""Speed signs: numbers with units, and words that differ by country, as does the side of traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

LEFT = frozenset((
    "AG", "AI", "AU", "BB", "BD", "BM", "BN", "BS", "BT", "BW", "CK", "CY", "DM", "FJ", "FK", "GB", "GD", "GG", "GY",
    "HK", "ID", "IE", "IM", "IN", "JE", "JM", "JP", "KE", "KI", "KN", "KY", "LC", "LK", "LS", "MO", "MS", "MT", "MU",
    "MV", "MW", "MY", "MZ", "NA", "NF", "NP", "NR", "NU", "NZ", "PG", "PK", "PN", "SB", "SC", "SG", "SH", "SR", "SZ",
    "TC", "TH", "TK", "TL", "TO", "TT", "TV", "TZ", "UG", "VC", "VG", "VI", "WS", "ZA", "ZM", "ZW",
))  # fmt: skip
"""Countries where traffic keeps to the left."""

ELSEWHERE: Mapping[str, float] = {
    "urban": 50.0, "rural": 90.0, "trunk": 100.0, "motorway": 130.0, "living_street": 10.0, "walk": 7.0,
}  # fmt: skip
"""Km/h behind a word where the country says nothing else."""

_URBAN_RURAL_TRUNK_MOTORWAY: Mapping[str, tuple[float, float, float, float]] = {
    "AT": (50, 100, 100, 130), "AU": (50, 100, 100, 110), "BE": (50, 90, 120, 120), "BG": (50, 90, 90, 140),
    "BY": (60, 90, 90, 110), "CH": (50, 80, 100, 120), "CZ": (50, 90, 110, 130), "DE": (50, 100, 100, 130),
    "DK": (50, 80, 80, 130), "EE": (50, 90, 90, 90), "ES": (50, 90, 90, 120), "FI": (50, 80, 100, 120),
    "FR": (50, 80, 110, 130), "GB": (48.28, 96.56, 112.65, 112.65), "GR": (50, 90, 110, 130), "HR": (50, 90, 110, 130),
    "HU": (50, 90, 110, 130), "IE": (50, 80, 100, 120), "IT": (50, 90, 110, 130), "JP": (60, 60, 60, 100),
    "LT": (50, 90, 120, 130), "LU": (50, 90, 90, 130), "LV": (50, 90, 90, 90), "NL": (50, 80, 100, 100),
    "NO": (50, 80, 80, 110), "NZ": (50, 100, 100, 100), "PL": (50, 90, 100, 140), "PT": (50, 90, 100, 120),
    "RO": (50, 90, 100, 130), "RS": (50, 80, 100, 130), "RU": (60, 90, 90, 110), "SE": (50, 70, 90, 110),
    "SI": (50, 90, 110, 130), "SK": (50, 90, 90, 130), "TR": (50, 90, 110, 120), "UA": (50, 90, 110, 130),
    "ZA": (60, 100, 120, 120),
}  # fmt: skip
_SINGLE = {
    "GB:nsl_single": 96.56, "GB:nsl_dual": 112.65, "GB:nsl_restricted": 48.28, "BE-VLG:rural": 70.0, "JP:nsl": 60.0,
    "DE:living_street": 7.0, "AT:bicycle_road": 30.0, "DE:bicycle_road": 30.0,
}  # fmt: skip
_SAME = {"UK": "GB"}
CODE_KEYS = ("maxspeed", "maxspeed:type", "source:maxspeed", "zone:maxspeed", "zone:traffic")
"""Tags of ways whose codes (RO:urban) name a country."""
LEAST_VOTES = 3
MILE_KM = 1.609344
_WORDS = {"walk": 7.0, "living_street": 10.0}


def parse_maxspeed(value: str | None) -> float | None:
    """A `maxspeed` tag in km/h, None where it says nothing that can be read.

    Plain numbers are km/h, "30 mph" is converted, "walk" and codes such as "RO:urban" or "DE:zone:30" are known;
    of "50;30" the first counts.
    """
    if not value:
        return None
    text = value.split(";")[0].strip()
    if ":" in text:
        return of_code(text)
    text = text.lower()
    if text in _WORDS:
        return _WORDS[text]
    factor = 1.0
    for unit, scale in (("mph", MILE_KM), ("km/h", 1.0), ("kmh", 1.0), ("kph", 1.0), ("knots", 1.852)):
        if text.endswith(unit):
            text, factor = text[: -len(unit)].strip(), scale
            break
    try:
        kmh = float(text) * factor
    except ValueError:
        return None
    return kmh if 0 < kmh < 400 else None


def of_code(code: str, country: str = "") -> float | None:
    """Km/h that a code such as RO:urban, DE:zone:30 or DE:zone30 stands for; None where it says nothing.

    `country`: whose words those without a country of their own are ("urban" alone).
    """
    named, colon, rest = code.partition(":")
    if not colon:
        named, rest = country, code
        if not country or rest not in ELSEWHERE:
            return None
    named = named.upper()
    named = _SAME.get(named, named)
    if not rest or not (_is_country(named) or named == "ZONE"):
        return None
    code = f"{named}:{rest}"
    if code in _SINGLE:
        return _SINGLE[code]
    digits = rest.rpartition(":")[2].removeprefix("zone")
    if digits.isdecimal() and 0 < float(digits) < 200:
        return float(digits)
    own = dict(
        zip(("urban", "rural", "trunk", "motorway"), _URBAN_RURAL_TRUNK_MOTORWAY.get(named[:2], ()), strict=False)
    )
    return own.get(rest, ELSEWHERE.get(rest))


def country_in(code: str) -> str:
    """The country of a code such as RO:urban or BE-VLG:rural, "" where it names none."""
    named, colon, _ = code.partition(":")
    return _SAME.get(named[:2], named[:2]) if colon and named.isupper() and _is_country(named) else ""


def _is_country(named: str) -> bool:
    """Whether this is a country's two letters, or those with a part of it behind (BE-VLG)."""
    return len(named) >= 2 and named[:2].isascii() and named[:2].isalpha() and named[2:3] in ("", "-")


def elect(votes: Counter[str]) -> str:
    """The country that a map says it is of: most of the votes, and three at least; "" where it does not say."""
    if not votes:
        return ""
    country, most = min(votes.items(), key=lambda each: (-each[1], each[0]))
    return country if most >= LEAST_VOTES and 2 * most > votes.total() else ""
