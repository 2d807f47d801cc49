"""`If-Match` as people and proxies send it: quoted or not, weakened, in a list."""

from __future__ import annotations

import re

from routing.errors import InvalidInput

__all__ = ["matches"]

_TAG = re.compile(r'\s*(?:W/)?(?:"([^"\s,]+)"|([^"\s,/]+))\s*')


def matches(header: str, version: str) -> bool:
    """True where the header names `version`, or anything (`*`); raises InvalidInput where it names nothing at all.

    A version is a digest of what is shown, so one that a proxy has weakened (`W/`) says as much as before.
    """
    if header.strip() == "*":
        return True
    found = [_TAG.fullmatch(part) for part in header.split(",")]
    if not all(found):
        raise InvalidInput(
            "this is no list of versions", code="validation_failed", field="If-Match",
            hint='Send the ETag as it was read: If-Match: "0123456789abcdef".',
        )  # fmt: skip
    return version in {tag[1] or tag[2] for tag in found if tag}
