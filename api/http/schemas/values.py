"""The values of the wire: instants, ids and texts, with what they must be like in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of what follows: with them an address shows as another one."""
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")
_EARLIEST, _LATEST = 946_684_800, 4_102_444_800  # years 2000 to 2100: what an int32 of a round's ticks can reach from


def _is_text(value: Any) -> Any:
    if not isinstance(value, str) or _NUMBER.fullmatch(value.strip()):
        raise ValueError("an instant is a text like 2030-01-31T12:00:00Z")
    return value


def _in_range(value: datetime) -> datetime:
    """In UTC, so that one instant is one value however it was written."""
    if not _EARLIEST <= value.timestamp() < _LATEST:
        raise ValueError("lies outside the years 2000 to 2100")
    return value.astimezone(UTC)


def one_line_end(value: Any) -> Any:
    """A text with \\n at the end of its lines, wherever it was written."""
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value


def printable(value: str) -> str:
    """The text itself; raises ValueError where it holds what nobody can read as it is."""
    if _UNPRINTABLE.search(value):
        raise ValueError("holds control characters")
    if _TURNING.search(value):
        raise ValueError("holds characters that turn the direction of the text")
    return value


CURRENCY, PIN, PROFILE = r"^[A-Z]{3}$", r"^[0-9]{4,8}$", r"^[a-z][a-z0-9_]{0,31}$"
RULES: dict[str, str] = {
    CURRENCY: "must be three capital letters: EUR",
    PIN: "must be 4 to 8 digits",
    PROFILE: "must be 1 to 32 small letters, digits or _, and begin with a letter",
}
"""What a pattern asks for, in words."""


def ruled(pattern: str, words: str, example: str) -> Any:
    """A field of this pattern, and what it asks for in words."""
    RULES[pattern] = words
    return Field(pattern=pattern, description=words[0].upper() + words[1:] + ".", examples=[example])


def _id(more: str, most: int, example: str) -> Any:
    signs = " ".join(more)
    return ruled(
        rf"^[A-Za-z0-9_][A-Za-z0-9_{more}-]{{0,{most - 1}}}$",
        f"must be 1 to {most} letters, digits, _ - {signs}, and begin with a letter, a digit or _",
        example,
    )


Instant = Annotated[AwareDatetime, BeforeValidator(_is_text), AfterValidator(_in_range)]
Text = Annotated[str, BeforeValidator(one_line_end), AfterValidator(printable)]
ExternalId = Annotated[str, _id(".:~", 64, "o-1017")]
Id = Annotated[str, _id("~:", 64, "r-7")]
DeliveryId = Annotated[str, _id(".:~", 128, "demo.o-1017")]
OfferOrStopId = Annotated[str, _id(".:~@", 128, "r-7.3")]
EndName = Annotated[
    str,
    ruled(r"^(door|counter:[A-Za-z0-9:._~-]{1,64})$", "must be door, or counter: and a store's id", "counter:store-2"),
]
TenantId = Annotated[
    str,
    ruled(r"^[a-z][a-z0-9_-]{0,31}$", "must be 1 to 32 small letters, digits, _ or -, a letter first", "demo"),
]
Phone = Annotated[
    str, ruled(r"^\+[1-9][0-9]{6,14}$", "must be a number with its country: +4915112345678", "+4915112345678")
]
Name = Annotated[Text, Field(min_length=1, max_length=100)]
Why = Annotated[Text, Field(min_length=1, max_length=200, examples=["customer called"])]
