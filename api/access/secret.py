"""What signs tokens of riders and kitchens, quotes and tracking links: kept apart from the data that it protects.

The first that is there: `HALFHOUR_SECRET` (several with commas between), the file that `HALFHOUR_SECRET_FILE` or
`service.secret_file` names, `FOLDER.secret` beside the ledger's folder.  A file has one secret a line; it is made where
there is none.  The newest comes first and signs; those behind it still open what they have signed.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from api.ledger.files import OTHERS, whole
from api.ledger.protocol import Ledger, Write
from routing.errors import InvalidInput

log = logging.getLogger(__name__)

VARIABLE, FILE_VARIABLE = "HALFHOUR_SECRET", "HALFHOUR_SECRET_FILE"
LEAST_BYTES = 32
KEPT = 2
"""Lines of the file after a rotation."""


def file_of(address: str, named: str | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the secrets of a ledger are, unless the environment holds them itself.

    Raises InvalidInput where nothing names a file and the ledger lies in no folder.
    """
    given = environment.get(FILE_VARIABLE) or named
    if given or environment.get(VARIABLE):
        return Path(given or "")
    if "://" in address:
        raise InvalidInput(
            "a ledger in a database needs a secret of its own", field="service.secret_file",
            hint=f"Name a file that all hosts of the market have, or set {VARIABLE}.",
        )  # fmt: skip
    folder = Path(address)
    return folder.with_name(folder.name + ".secret")


def secrets_of(ledger: Ledger, file: Path, environment: Mapping[str, str] = os.environ) -> tuple[bytes, ...]:
    """The secrets of a service; raises InvalidInput where they are short, open to others, or cannot be kept.

    One that an older version kept in the ledger moves into the file, so that what it has signed stays good.
    """
    old = ledger.value("secret")
    found = known(file, environment, first=old)
    if old is not None:
        if bytes.fromhex(old) not in found:
            log.warning("what the ledger's own secret has signed is good no longer: another one is given")
        ledger.append(Write(extra=(("secret", None),))).result()
    return found


def known(file: Path, environment: Mapping[str, str] = os.environ, *, first: str | None = None) -> tuple[bytes, ...]:
    """The secrets of the environment or of a file, which is made where there is none (with `first`, or a new one)."""
    said = environment.get(VARIABLE)
    if said:
        return tuple(_bytes(text, VARIABLE) for text in said.split(","))
    if not file.exists():
        _keep(file, [first or secrets.token_hex(LEAST_BYTES)])
    return tuple(_bytes(text, str(file)) for text in _lines(file))


def rotate(file: Path, *, forget: bool = False) -> int:
    """A new secret from the next start on; the one before goes on opening what it has signed, unless `forget`.

    How many there are now.
    """
    before = _lines(file) if file.exists() and not forget else []
    kept = [secrets.token_hex(LEAST_BYTES), *before][:KEPT]
    _keep(file, kept)
    return len(kept)


def _keep(file: Path, lines: list[str]) -> None:
    try:
        with whole(file) as writing:
            writing.write(("\n".join(lines) + "\n").encode())
    except OSError as problem:
        raise InvalidInput(
            f"the secret that signs tokens cannot be kept: {problem.strerror}", code="no_secret", file=str(file),
            hint=f"Name a file elsewhere with {FILE_VARIABLE}, or give the secret itself in {VARIABLE}.",
        ) from problem  # fmt: skip


def _lines(file: Path) -> list[str]:
    try:
        mode, text = file.stat().st_mode, file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidInput("the secret cannot be read", code="no_secret", file=str(file)) from problem
    if mode & OTHERS:
        said, hint = "others may read the secret that signs tokens", f"Close it to them: chmod 600 {file}"
        raise InvalidInput(said, code="unsafe_mode", file=str(file), hint=hint)
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if not found:
        raise InvalidInput("there is no secret in it", code="no_secret", file=str(file))
    return found


def _bytes(text: str, where: str) -> bytes:
    try:
        found = bytes.fromhex(text.strip())
    except ValueError:
        found = text.strip().encode()
    if len(found) < LEAST_BYTES:
        hint = f"Give {LEAST_BYTES} random bytes: openssl rand -hex {LEAST_BYTES}"
        raise InvalidInput("the secret that signs tokens is too short", code="no_secret", file=where, hint=hint)
    return found
