"""Traffic tables in TOML: zones and speeds by time slot, as docs/roads.md describes them."""

from __future__ import annotations

import codecs
import contextlib
import datetime
import difflib
import gzip
import logging
import tomllib
import zlib
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from routing.errors import InvalidInput, UnreadableFile
from routing.roads.errors import InvalidSpeed, InvalidTraffic
from routing.roads.source.profiles import require_speed
from routing.roads.streets import Streets
from routing.roads.traffic.speed_csv import FASTEST_KMH, is_speed_csv, parse_speeds
from routing.roads.traffic.traffic import SpeedRule, TrafficTable, check_rule

logger = logging.getLogger(__name__)

GZIP_BEGINS = b"\x1f\x8b"
DAY_S = 86_400
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_MONDAY = 4 * DAY_S
"""Epoch second of the first Monday."""
HEAD_KEYS = ("starts_at", "slot_s", "slots", "timezone", "zones", "speed")
LARGEST_FACTOR = 10.0
SHORTEST_SLOT_S, LONGEST_SLOT_S = 60, 3600


def read_traffic(path: Path, streets: Streets, timezone: str = "") -> TrafficTable:
    """A traffic table from a TOML file (shape documented in docs/roads.md), checked against the streets.

    `timezone`: the zone whose clocks a daily table goes by that names none.
    Raises UnreadableFile, InvalidTraffic or InvalidSpeed, naming the file and the entry.
    """
    return parse_traffic(traffic_text(path), streets, str(path), timezone)


def parse_traffic(text: str, streets: Streets, file: str, timezone: str = "") -> TrafficTable:
    """As `read_traffic`, from the file's text; `file` names it in errors.  CSV is read by `speed_csv.parse_speeds`."""
    if is_speed_csv(text):
        return _by_clocks(parse_speeds(text, streets, file), timezone)
    with _naming(file):
        table = make_table(tomllib.loads(text))
        rules = [rule for rule in dict.fromkeys(sum(table.rules, ())) if isinstance(rule, SpeedRule)]
        foreign = {rule for rule in rules if rule.foreign(streets)}
        for rule in rules:
            check_rule(replace(rule, classes=(), ways=()) if rule in foreign else rule, streets, "speed")
            for remark in rule.remarks(streets):
                logger.warning("%s: a rule of the traffic table: %s", file, remark)
    if not rules:
        logger.warning("%s: the traffic table has no rule", file)
    here = tuple(tuple(rule for rule in slot if rule not in foreign) for slot in table.rules)
    return _by_clocks(replace(table, rules=here), timezone)


def _by_clocks(table: TrafficTable, timezone: str) -> TrafficTable:
    return replace(table, timezone=timezone) if table.daily and not table.timezone else table


def read_speeds(path: Path) -> tuple[SpeedRule, ...]:
    """Speeds for all times from a TOML file: the zones and speed entries of a traffic table, without slots.

    Raises UnreadableFile, InvalidTraffic or InvalidSpeed, naming the file and the entry.
    """
    with _naming(str(path)):
        given = tomllib.loads(traffic_text(path))
        for name in sorted(given.keys() - {"zones", "speed"}):
            raise InvalidTraffic("speeds for all times have no slots", field=name, hint="Give a traffic table instead.")
        zones = _zones(given)
        return tuple(
            _rule(entry, zones, f"speed[{number}]", timed=False) for number, entry in enumerate(_entries(given))
        )


def traffic_text(path: Path) -> str:
    """What a traffic file holds, unpacked and decoded; raises UnreadableFile."""
    try:
        held = path.read_bytes()
        if held.startswith(GZIP_BEGINS):
            held = gzip.decompress(held)
        # Spreadsheets write UTF-16, or a mark of the order of bytes in front of UTF-8.
        wide = held.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return held.decode("utf-16" if wide else "utf-8-sig")
    except OSError as error:
        raise UnreadableFile(f"the traffic file cannot be read: {error.strerror}", file=str(path)) from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"the traffic file is no text: {error}", file=str(path)) from error
    except (EOFError, zlib.error) as error:
        raise UnreadableFile(f"the traffic file cannot be unpacked: {error}", file=str(path)) from error


@contextlib.contextmanager
def _naming(file: str) -> Iterator[None]:
    """Whatever is wrong in the block is said with the name of the file."""
    try:
        yield
    except InvalidInput as error:
        error.details["file"] = file
        raise
    except tomllib.TOMLDecodeError as error:
        raise UnreadableFile(f"the traffic file is not TOML: {error}", file=file) from error
    except (TypeError, ValueError) as error:
        raise InvalidTraffic(f"the traffic file cannot be understood: {error}", file=file) from error


def make_table(given: Mapping[str, Any]) -> TrafficTable:
    """A traffic table from the parsed file."""
    for key in sorted(given.keys() - set(HEAD_KEYS)):
        near = difflib.get_close_matches(key, HEAD_KEYS, 1)
        hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(HEAD_KEYS)}."
        raise InvalidTraffic(f"unknown key {key!r}", field=key, hint=hint)
    starts = given.get("starts_at", datetime.time(0))
    daily = isinstance(starts, datetime.time)
    if daily:
        starts_at = starts.hour * 3600 + starts.minute * 60
    elif isinstance(starts, datetime.datetime) and starts.tzinfo is not None:
        starts_at = int(starts.timestamp())
    elif isinstance(starts, int) and not isinstance(starts, bool):
        starts_at = starts
    else:
        raise InvalidTraffic(
            "starts_at must be a time with its zone, epoch seconds, or a time of day", field="starts_at"
        )
    slot_s = given.get("slot_s", 900)
    if not isinstance(slot_s, int) or not SHORTEST_SLOT_S <= slot_s <= LONGEST_SLOT_S:
        raise InvalidTraffic(
            f"slot_s must be whole seconds from {SHORTEST_SLOT_S} to {LONGEST_SLOT_S}, not {slot_s!r}", field="slot_s"
        )
    slots = given.get("slots", DAY_S // slot_s)
    if not isinstance(slots, int) or slots < 1 or (daily and slots * slot_s != DAY_S):
        raise InvalidTraffic("slots must be a whole number; those of a daily table must fill a day", field="slots")
    zones = _zones(given)
    entries = _entries(given)
    weekly = any("days" in entry for entry in entries)
    if weekly and not daily:
        raise InvalidTraffic("days go with a table that begins at a time of day", field="starts_at")
    rules: list[list[SpeedRule]] = [[] for _ in range(slots * 7 if weekly else slots)]
    for number, entry in enumerate(entries):
        field = f"speed[{number}]"
        rule = _rule(entry, zones, field)
        first = _slot(entry.get("from"), 0, starts_at, slot_s, slots, daily, f"{field}.from")
        last = _slot(entry.get("to"), slots, starts_at, slot_s, slots, daily, f"{field}.to")
        if daily and last <= first:
            last += slots
        if not first < last:
            raise InvalidTraffic("a rule must end after it begins", field=field)
        for day in _days(entry, field) if weekly else (0,):
            for slot in range(first, last):
                rules[(day * slots + slot) % len(rules)].append(rule)
    if weekly:
        starts_at += FIRST_MONDAY
    return TrafficTable(starts_at, slot_s, tuple(tuple(each) for each in rules), daily, _timezone(given))


def _entries(given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = given.get("speed", [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise InvalidTraffic("speed is a list of tables", field="speed", hint="Each begins with [[speed]].")
    return entries


def _days(entry: Mapping[str, Any], field: str) -> tuple[int, ...]:
    named = entry.get("days", DAYS)
    if not isinstance(named, list | tuple) or not named or any(day not in DAYS for day in named):
        raise InvalidTraffic(f"days is a list of {', '.join(DAYS)}", field=f"{field}.days")
    return tuple(DAYS.index(day) for day in named)


def _timezone(given: Mapping[str, Any]) -> str:
    name = given.get("timezone", "")
    try:
        zoneinfo.ZoneInfo(name or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise InvalidTraffic(f"there is no time zone {name!r}", field="timezone") from error
    return str(name)


def _zones(given: Mapping[str, Any]) -> dict[str, tuple[tuple[float, float], ...]]:
    zones = given.get("zones", {})
    if not isinstance(zones, Mapping):
        raise InvalidTraffic("zones is a table of names, each a list of corners", field="zones")
    return {name: _corners(corners, name) for name, corners in zones.items()}


def _corners(corners: Any, name: str) -> tuple[tuple[float, float], ...]:
    try:
        found = tuple((float(lat), float(lng)) for lat, lng in corners)
    except (TypeError, ValueError):
        found = ()
    if len(found) < 3:
        raise InvalidTraffic("a zone is a list of at least three corners [lat, lng]", field=f"zones.{name}")
    return found


def _rule(entry: Mapping[str, Any], zones: Mapping[str, Any], field: str, *, timed: bool = True) -> SpeedRule:
    known = {"factor", "kmh", "closed", "direction", "profiles", "class", "zone", "edges", "ways"}
    known |= {"from", "to", "days"} if timed else set()
    if set(entry) - known:
        raise InvalidTraffic(f"unknown key {min(set(entry) - known)!r}", field=field)
    zone = entry.get("zone")
    if zone is not None and zone not in zones:
        raise InvalidTraffic(f"there is no zone {zone!r}", field=f"{field}.zone")
    if entry.get("closed") is True and not entry.keys() & {"class", "zone", "edges", "ways"}:
        raise InvalidTraffic(
            "the rule closes the whole city", field=f"{field}.closed", hint="Name a class, zone, edges or ways."
        )
    return SpeedRule(
        _factor(entry, field),
        _names(entry, "profiles", field),
        _names(entry, "class", field),
        zones[zone] if zone is not None else (),
        _numbers(entry, "edges", field),
        _numbers(entry, "ways", field),
        entry.get("direction", ""),
        _kmh(entry["kmh"], f"{field}.kmh") if "kmh" in entry else None,
        "closed" in entry,
    )


def _kmh(given: Any, field: str) -> float:
    kmh = require_speed(given, field)
    if kmh > FASTEST_KMH:
        raise InvalidSpeed(f"a speed is {FASTEST_KMH:g} km/h at most, not {kmh:g}", field=field)
    return kmh


def _factor(entry: Mapping[str, Any], field: str) -> float:
    """The factor of an entry that has exactly one of factor, kmh and closed."""
    said = [key for key in ("factor", "kmh", "closed") if key in entry]
    if len(said) != 1:
        raise InvalidTraffic("a rule has one of factor, kmh and closed", field=f"{field}.factor")
    if said == ["closed"] and entry["closed"] is not True:
        raise InvalidTraffic("closed is true, or left out", field=f"{field}.closed")
    if said != ["factor"]:
        return 1.0
    if entry["factor"] == 0:
        raise InvalidSpeed(
            "a factor must be above zero", field=f"{field}.factor", hint="To close a street write closed = true."
        )
    factor = require_speed(entry["factor"], f"{field}.factor")
    if factor > LARGEST_FACTOR:
        raise InvalidSpeed(
            f"a factor is {LARGEST_FACTOR:g} at most, not {factor:g}",
            field=f"{field}.factor",
            hint="A speed in km/h is written kmh = 30.",
        )
    return factor


def _names(entry: Mapping[str, Any], key: str, field: str) -> tuple[str, ...]:
    """A name or a list of names; one that is empty selects nothing and is refused."""
    given = entry.get(key)
    if given is None:
        return ()
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or any(not isinstance(name, str) for name in names):
        raise InvalidTraffic(f"{key} is a name or a list of names, not {given!r}", field=f"{field}.{key}")
    if not names:
        raise InvalidTraffic(f"{key} is empty, so the rule selects nothing", field=f"{field}.{key}")
    return tuple(names)


def _numbers(entry: Mapping[str, Any], key: str, field: str) -> tuple[int, ...]:
    """A list of whole numbers; one that is empty selects nothing and is refused."""
    given = entry.get(key)
    if given is None:
        return ()
    if not isinstance(given, list) or any(not isinstance(n, int) or isinstance(n, bool) for n in given):
        raise InvalidTraffic(f"{key} is a list of whole numbers", field=f"{field}.{key}")
    if not given:
        raise InvalidTraffic(f"{key} is empty, so the rule selects nothing", field=f"{field}.{key}")
    return tuple(given)


def _slot(given: Any, default: int, starts_at: int, slot_s: int, slots: int, daily: bool, field: str) -> int:
    """The slot that begins at a time of day or an instant."""
    if given is None:
        return default
    if isinstance(given, datetime.time):
        seconds = given.hour * 3600 + given.minute * 60 + given.second
        offset = (seconds - starts_at) % DAY_S
    elif isinstance(given, datetime.datetime) and given.tzinfo is not None and not daily:
        offset = int(given.timestamp()) - starts_at
    else:
        raise InvalidTraffic("must be a time of day (07:30:00) or an instant with its zone", field=field)
    if offset % slot_s or not 0 <= offset <= slots * slot_s:
        raise InvalidTraffic("must fall on the beginning of a slot of the table", field=field)
    return offset // slot_s
