"""Whether a service may be given work, and what is wrong with it while it may."""

from __future__ import annotations

from api.common.clock import STEP_S
from api.common.errors import NotReady
from api.http.schemas.operations import Readiness
from api.live.host import LiveHost
from routing.errors import HalfhourError

MOST_FALLBACKS = 3
"""So many rounds in a row without the solver are no chance any more."""

MOST_DOUBT_S = 30.0
"""What service and machine may differ by before the promises that are given count as wrong."""


MOST_COMMIT_S = 2.0
"""A write that takes longer is one that phones and order systems give up."""


class StorageSlow(HalfhourError):
    """Writes take too long to be waited for; details hold retry_after_s."""

    code = "storage_slow"


class ClockOff(HalfhourError):
    """The machine's clock was set while the service ran; details hold retry_after_s."""

    code = "clock_off"


def readiness(host: LiveHost) -> Readiness:
    """What `/readyz` answers; raises what keeps the service from taking work."""
    if host.ledger.is_following:
        raise NotReady("this host only follows the market of another one", retry_after_s=1)
    failure = host.failure or host.ledger.failed
    if failure is not None:
        raise failure
    if not host.is_ready:
        raise NotReady("the service is starting", retry_after_s=1)
    age_s = host.commits.age_s
    if age_s > MOST_COMMIT_S:
        raise StorageSlow(
            f"the disk takes {age_s:.1f} s for a write", retry_after_s=5, hint="Look for what else writes to it."
        )
    off_s = host.clock.off_s
    if host.clock.doubt_s > MOST_DOUBT_S:
        raise ClockOff(
            f"this machine's clock was set: it is {off_s:+,.0f} s off the time that dispatch goes on by",
            retry_after_s=60,
            hint="Set it right, or restart the service to go by it.",
        )
    in_a_row = host.rounds.fallbacks_in_a_row
    warnings = {"solver": in_a_row >= MOST_FALLBACKS, "clock": abs(off_s) > STEP_S}
    return Readiness(
        ready=True,
        warnings=[name for name, holds in warnings.items() if holds],
        fallbacks_in_a_row=in_a_row,
        clock_off_s=round(off_s, 1),
        commit_age_s=round(age_s, 2),
    )
