"""Signatures of webhooks in the Standard Webhooks form (standardwebhooks.com), for sender and receiver alike.

webhook-id: evt_...          webhook-timestamp: <epoch seconds>
webhook-signature: v1,<base64 of HMAC-SHA256 over "id.timestamp.body">, one per secret in rotation, space between
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
from collections.abc import Iterable, Mapping

from routing.errors import HalfhourError

__all__ = ["TOLERANCE_S", "InvalidSignature", "new_secret", "signed_headers", "verify"]

TOLERANCE_S = 300
"""A message older (or from further in the future) than this is refused, so that a captured one soon is worthless."""
_PREFIX = "whsec_"


class InvalidSignature(HalfhourError):
    """A webhook that is forged, changed or too old."""

    code = "invalid_signature"


def new_secret() -> str:
    """A fresh signing secret: `whsec_` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def signed_headers(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message, signed with each of `secrets`."""
    signatures = [f"v1,{_signature(secret, message_id, timestamp, body)}" for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def verify(
    secrets: Iterable[str], headers: Mapping[str, str], body: bytes, *, now: int, tolerance_s: int = TOLERANCE_S
) -> str:
    """The message's id, if one of `secrets` signed exactly this body lately; raises InvalidSignature.

    A receiver keeps the ids it has handled for the tolerance, and so handles none twice.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    message_id, said_at = fields.get("webhook-id", ""), fields.get("webhook-timestamp", "")
    if not message_id or not (said_at.isascii() and said_at.isdigit() and len(said_at) < 16):
        raise InvalidSignature("webhook-id or webhook-timestamp is missing or malformed")
    timestamp = int(said_at)
    if abs(now - timestamp) > tolerance_s:
        raise InvalidSignature(f"signed more than {tolerance_s} s away from now", hint="Is the clock right?")
    expected = [_signature(secret, message_id, timestamp, body).encode() for secret in secrets]
    for part in fields.get("webhook-signature", "").split(" ")[:16]:
        version, _, given = part.partition(",")
        matches = [hmac.compare_digest(given.encode("utf-8", "replace"), one) for one in expected]
        if version == "v1" and any(matches):
            return message_id
    raise InvalidSignature("no signature of this message is ours")


def _signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    mac = hmac.new(_key(secret), f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return base64.b64encode(mac.digest()).decode()


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise InvalidSignature("a secret is not base64", hint="Copy it whole, with or without whsec_.") from None
