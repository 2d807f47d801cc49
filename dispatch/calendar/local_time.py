"""Local time: what clocks on the wall show in the time zone of a market, also on days when they are changed."""

from __future__ import annotations

import datetime
import zoneinfo

from routing.errors import InvalidInput


class UnclearLocalTime(InvalidInput):
    """A local time that comes twice or not at all, because clocks are changed that day."""

    code = "unclear_local_time"


def zone_of(name: str) -> datetime.tzinfo:
    """The time zone of an IANA name; raises InvalidInput."""
    if name.upper() == "UTC":
        return datetime.UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            f"there is no time zone {name!r}", field="time_zone", hint="Use an IANA name such as Europe/Helsinki."
        ) from None


def local_of(at: int, zone: datetime.tzinfo) -> datetime.datetime:
    """What clocks in a zone show at an instant, without the zone."""
    return datetime.datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)


def instants_of(local: datetime.datetime, zone: datetime.tzinfo) -> tuple[int, ...]:
    """The instants at which clocks in a zone show `local`: one; two where clocks go back; none where they go ahead."""
    found = {int(local.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1)}
    return tuple(sorted(at for at in found if local_of(at, zone) == local.replace(microsecond=0)))


def instant_of(local: datetime.datetime, zone: datetime.tzinfo) -> int:
    """The one instant at which clocks show `local`; raises UnclearLocalTime, with the offsets to choose from."""
    found = instants_of(local, zone)
    if len(found) == 1:
        return found[0]
    choices = " or ".join(local.replace(tzinfo=zone, fold=fold).isoformat() for fold in (0, 1))
    how = "comes twice" if found else "does not exist"
    raise UnclearLocalTime(
        f"{local.isoformat(' ')} {how} in {zone}: clocks are changed",
        hint=f"Say which offset from UTC is meant: {choices}.",
    )
