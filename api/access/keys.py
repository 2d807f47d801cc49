"""API keys and rider tokens: how they are made, kept and checked.

A key is `hh_<id>_<secret><checksum>`.  The id may be shown and logged, the checksum lets a typing error (or a secret
scanner) be answered without a look-up, and only a SHA-256 digest is kept: 40 random characters need no slow hash.
Tokens are not kept at all: a rider's is a signed statement "rider R of tenant T until E", a kitchen's "store S ...".
They end with the key that vouched for them, a rider's also when operations end them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass, replace
from typing import Protocol, TypeVar

from api.common.api_keys import Key, Scope
from api.common.signed_tokens import Secret, each

__all__ = ["KeyBook", "KeyShelf", "KitchenToken", "RiderToken", "looks_like_key"]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH, _SECRET_LENGTH, _CHECK_LENGTH = 10, 40, 6
_RIDER_PREFIX, _KITCHEN_PREFIX = "hhr_", "hhk_"
EPOCH = "rider_epoch:"
"""Where the ledger keeps how often a rider's tokens have been ended."""
LONGEST_TOKEN_S = 86_400
"""A token lives no longer than this, however often it is renewed: then whoever gave it must vouch again."""


@dataclass(frozen=True, slots=True)
class RiderToken:
    """What a rider's token says; `born_at` survives renewal."""

    tenant: str
    rider_id: str
    born_at: int
    expires_at: int
    key_id: str = ""
    """The key that vouched for it: it ends with that."""
    epoch: int = 0
    """Of its rider: tokens of earlier ones have been ended."""


@dataclass(frozen=True, slots=True)
class KitchenToken:
    """What a kitchen's token says: one store, and the orders there of one tenant or (`of_all`) of every one."""

    tenant: str
    store_id: str
    of_all: bool
    born_at: int
    expires_at: int
    key_id: str = ""


_Token = TypeVar("_Token", RiderToken, KitchenToken)
_LABELS = {_RIDER_PREFIX: b"rider-token.", _KITCHEN_PREFIX: b"kitchen-token."}
"""What a signature is for: no token of one kind passes for one of the other."""


class KeyShelf(Protocol):
    """Where keys survive a restart."""

    def load_keys(self) -> Iterable[Key]:
        """Every key ever saved, the newest version of each."""

    def save_key(self, key: Key) -> None:
        """Keeps `key` durably, replacing an older version of it."""


class KeyBook:
    """All keys of a service, by digest; answers whose a presented key or token is."""

    def __init__(
        self,
        signing_secret: Secret,
        shelf: KeyShelf | None = None,
        *,
        epoch_of: Callable[[str], int] = lambda rider_id: 0,
    ) -> None:
        """`epoch_of`: a rider's epoch as it is kept; asked once."""
        if min(map(len, each(signing_secret))) < 32:
            raise ValueError("the secret that signs rider tokens must have 32 bytes")
        self._signing_secrets = each(signing_secret)
        self._shelf = shelf
        self._by_digest: dict[str, Key] = {}
        self._by_id: dict[str, Key] = {}
        self._epoch_of = epoch_of
        self._epochs: dict[str, int] = {}
        self.changes = 0
        """How often a key was made or ended here."""
        for key in shelf.load_keys() if shelf else ():
            self._by_digest[key.digest] = self._by_id[key.key_id] = key

    def __iter__(self) -> Iterator[Key]:
        return iter(sorted(self._by_digest.values(), key=lambda key: (key.created_at, key.key_id)))

    def take(self, keys: Iterable[Key]) -> None:
        """Keys as the shelf has them now: some were made or ended by other processes."""
        for key in keys:
            self._by_digest[key.digest] = self._by_id[key.key_id] = key

    def make(
        self, tenant: str, scopes: Iterable[Scope], now: int, *, valid_s: int | None = None, label: str = ""
    ) -> tuple[str, Key]:
        """A new key as text (shown once, kept nowhere) and what is kept of it."""
        key_id = _random_text(_ID_LENGTH)
        body = f"hh_{key_id}_{_random_text(_SECRET_LENGTH)}"
        text = body + _checksum(body)
        expires_at = None if valid_s is None else now + valid_s
        key = Key(key_id, tenant, frozenset(scopes), _digest(text), now, expires_at, label)
        self._keep(key)
        return text, key

    def rotate(self, key_id: str, now: int, *, overlap_s: int) -> tuple[str, Key]:
        """A successor with the same rights; the old key goes on working for `overlap_s`.  KeyError if unknown."""
        old = self.get(key_id)
        self._shorten(old, now + overlap_s)
        return self.make(old.tenant, old.scopes, now, label=old.label)

    def revoke(self, key_id: str, now: int) -> Key:
        """Ends a key at once.  KeyError if unknown."""
        return self._shorten(self.get(key_id), now)

    def get(self, key_id: str) -> Key:
        """A key by its id.  KeyError if unknown."""
        return self._by_id[key_id]

    def find(self, text: str, now: int) -> Key | None:
        """The valid key that `text` is, or None."""
        if not looks_like_key(text):
            return None
        digest = _digest(text)
        key = self._by_digest.get(digest)
        if key is None or not hmac.compare_digest(key.digest, digest) or not key.is_valid(now):
            return None
        return key

    def rider_token(
        self, tenant: str, rider_id: str, now: int, *, valid_s: int = 3600, key_id: str = ""
    ) -> tuple[str, RiderToken]:
        """A fresh token bound to one rider, and to the key `key_id` that vouches for them."""
        expires_at = now + min(valid_s, LONGEST_TOKEN_S)
        token = RiderToken(tenant, rider_id, now, expires_at, key_id, self.epoch(rider_id))
        return self._sign(_RIDER_PREFIX, token), token

    def epoch(self, rider_id: str) -> int:
        """A rider's epoch: how often all tokens of theirs have been ended."""
        if rider_id not in self._epochs:
            self._epochs[rider_id] = self._epoch_of(rider_id)
        return self._epochs[rider_id]

    def end_tokens(self, rider_id: str, epoch: int) -> None:
        """Ends every token of a rider that is of an epoch before `epoch`."""
        self._epochs[rider_id] = max(epoch, self.epoch(rider_id))

    def kitchen_token(
        self, tenant: str, store_id: str, now: int, *, of_all: bool = False, valid_s: int = 3600, key_id: str = ""
    ) -> tuple[str, KitchenToken]:
        """A fresh token bound to one store, and to the key `key_id` that vouches for it."""
        token = KitchenToken(tenant, store_id, of_all, now, now + min(valid_s, LONGEST_TOKEN_S), key_id)
        return self._sign(_KITCHEN_PREFIX, token), token

    def renewed(self, token: _Token, now: int, *, valid_s: int = 3600) -> tuple[str, _Token]:
        """The same statement for longer, up to LONGEST_TOKEN_S after the first token of the chain."""
        longer = replace(token, expires_at=min(now + valid_s, token.born_at + LONGEST_TOKEN_S))
        return self._sign(_KITCHEN_PREFIX if isinstance(token, KitchenToken) else _RIDER_PREFIX, longer), longer

    def find_rider(self, text: str, now: int) -> RiderToken | None:
        """What a rider's token says if we signed it and it has not run out; None otherwise."""
        return self._found(_RIDER_PREFIX, RiderToken, text, now)

    def find_kitchen(self, text: str, now: int) -> KitchenToken | None:
        """What a kitchen's token says if we signed it and it has not run out; None otherwise."""
        return self._found(_KITCHEN_PREFIX, KitchenToken, text, now)

    def _found(self, prefix: str, kind: type[_Token], text: str, now: int) -> _Token | None:
        if not text.startswith(prefix) or len(text) > 1024:
            return None
        payload, _, signature = text[len(prefix) :].partition(".")
        said = signature.encode("utf-8", "replace")
        made = [self._signature(prefix, payload, secret) for secret in self._signing_secrets]
        if not any(hmac.compare_digest(one, said) for one in made):
            return None
        token = kind(*json.loads(base64.urlsafe_b64decode(payload)))
        if not (token.born_at <= now + 60 and now < token.expires_at and self._is_vouched_for(token.key_id, now)):
            return None
        return None if isinstance(token, RiderToken) and token.epoch < self.epoch(token.rider_id) else token

    def _is_vouched_for(self, key_id: str, now: int) -> bool:
        key = self._by_id.get(key_id)
        return not key_id or (key is not None and key.is_valid(now))

    def _sign(self, prefix: str, token: RiderToken | KitchenToken) -> str:
        said = json.dumps(astuple(token), separators=(",", ":"))
        payload = base64.urlsafe_b64encode(said.encode()).decode()
        return f"{prefix}{payload}.{self._signature(prefix, payload, self._signing_secrets[0]).decode()}"

    def _signature(self, prefix: str, payload: str, secret: bytes) -> bytes:
        label = _LABELS[prefix]
        mac = hmac.new(secret, label + payload.encode("utf-8", "replace"), hashlib.sha256)
        return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=")

    def _shorten(self, key: Key, expires_at: int) -> Key:
        ends = expires_at if key.expires_at is None else min(expires_at, key.expires_at)
        shorter = replace(key, expires_at=ends)
        self._keep(shorter)
        return shorter

    def _keep(self, key: Key) -> None:
        self.changes += 1
        if self._shelf is not None:
            self._shelf.save_key(key)
        self._by_digest[key.digest] = self._by_id[key.key_id] = key


def looks_like_key(text: str) -> bool:
    """True where form and checksum are those of an API key: what a secret scanner would ask."""
    length = 3 + _ID_LENGTH + 1 + _SECRET_LENGTH + _CHECK_LENGTH
    if len(text) != length or not text.startswith("hh_") or not text.isascii():
        return False
    return text[-_CHECK_LENGTH:] == _checksum(text[:-_CHECK_LENGTH])


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
