"""Statements we sign and take back: quotes, and the links by which customers follow their delivery."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import zlib
from typing import Any

Secret = bytes | tuple[bytes, ...]
"""One secret, or several with the newest first: that one signs, all of them open."""

_MOST_BYTES = 65_536
_SHORT_BYTES = 200
"""What is shorter is not compressed: it would cost more time than it saves space."""


def each(secret: Secret) -> tuple[bytes, ...]:
    """All of them, the newest first."""
    return (secret,) if isinstance(secret, bytes) else secret


def signed(secret: Secret, purpose: str, value: Any) -> str:
    """A JSON value as URL-safe text that only we can have made."""
    data = b"j" + json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    if len(data) > _SHORT_BYTES:
        data = b"z" + zlib.compress(data[1:], 6)
    return f"{_text(data)}.{_text(_mac(each(secret)[0], purpose, data))}"


def opened(secret: Secret, purpose: str, token: str) -> Any:
    """The value in a token of ours for this purpose, None for anything else."""
    payload, _, mac = token.partition(".")
    try:
        data, said = _bytes(payload), _bytes(mac)
    except (ValueError, binascii.Error):
        return None
    if not any(hmac.compare_digest(_mac(one, purpose, data), said) for one in each(secret)):
        return None
    text = data[1:] if data[:1] == b"j" else zlib.decompressobj().decompress(data[1:], _MOST_BYTES)
    return json.loads(text)


def digest(secret: Secret, purpose: str, text: str) -> str:
    """A short name for a text, the same every time, which nobody can make or undo without the newest secret."""
    return _text(_mac(each(secret)[0], purpose, text.encode()))


def _mac(secret: bytes, purpose: str, data: bytes) -> bytes:
    return hmac.new(secret, purpose.encode() + b"." + data, hashlib.sha256).digest()[:18]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
