"""Whether a service may be given work, and what is wrong with it while it may."""

from __future__ import annotations

from api import wire
from api.live import LiveHost, NotReady

MOST_FALLBACKS = 3
"""So many rounds in a row without the solver are no chance any more."""


def readiness(host: LiveHost) -> wire.Readiness:
    """What `/readyz` answers; raises what keeps the service from taking work."""
    if host.failure is not None:
        raise host.failure
    if not host.is_ready:
        raise NotReady("the service is starting", retry_after_s=1)
    in_a_row = host.rounds.fallbacks_in_a_row
    warnings = {"solver": in_a_row >= MOST_FALLBACKS}
    return wire.Readiness(
        ready=True, warnings=[name for name, holds in warnings.items() if holds], fallbacks_in_a_row=in_a_row
    )
