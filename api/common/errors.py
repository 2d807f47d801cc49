"""Errors of the service, one tree: what a caller did wrong, and what the service cannot do now."""

from __future__ import annotations

from routing.errors import HalfhourError


class LockedOut(HalfhourError):
    """Too many failed keys from one address; details hold retry_after_s."""

    code = "locked_out"


class Unauthorized(HalfhourError):
    """No key, or one that is unknown, ended or badly formed: which, is not said."""

    code = "unauthorized"


class Forbidden(HalfhourError):
    """A valid key whose scopes do not reach this operation."""

    code = "forbidden"


class NotFound(HalfhourError):
    """A thing that is not there, or not the caller's; its code says what was looked for."""

    code = "not_found"


class RateLimited(HalfhourError):
    """A tenant asks more often than agreed; details hold limit, remaining and retry_after_s."""

    code = "rate_limited"


class Overloaded(HalfhourError):
    """Too many requests wait already; details hold retry_after_s."""

    code = "overloaded"


class TooLarge(HalfhourError):
    """A body beyond the limit of its endpoint; details hold limit_bytes."""

    code = "too_large"


class NotReady(HalfhourError):
    """The service is starting, or folding anew; details hold retry_after_s."""

    code = "not_ready"
