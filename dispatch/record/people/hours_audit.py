"""An independent judge of hours and rest: it reads events alone and shares no arithmetic with the engine.

A breach is a plan that gives a rider something new beyond what `rules.hours` lets them work, or while they rest.  Work
that lasted longer than was planned is no breach of a plan: its seconds are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dispatch import events as e
from dispatch.event_handlers import event_handlers
from dispatch.people.hours import KEY, HoursRule, Span, hours_rule
from dispatch.settings.names import renamed


@dataclass(slots=True)
class _Watched:
    """What is known of one rider."""

    shifts: list[Span] = field(default_factory=list)
    rests: list[Span] = field(default_factory=list)
    pause_from: int | None = None
    orders: frozenset[str] = frozenset()
    """On their route."""
    working: dict[str, bool] = field(default_factory=dict)
    """Stops of their route, and whether anything is done there."""


class HoursAudit:
    """Follows the riders of a day; `line`: `rules.hours` as it begins."""

    def __init__(self, line: str) -> None:
        self._rule: HoursRule | None = hours_rule(line) if line else None
        self._riders: dict[str, _Watched] = {}
        self.breaches: list[str] = []
        self.over_s = 0
        """Seconds of work beyond the hours, planned or not."""

    def take(self, events: Iterable[e.Event]) -> None:
        """Take the events of one input in."""
        for event in events:
            handler = _HANDLERS.get(type(event))
            if handler is not None:
                handler(self, event)

    def lines(self) -> dict[str, int]:
        """Lines of summary.json."""
        return {"hours_breaches": len(self.breaches), "hours_over_s": self.over_s}

    def lawful_until(self, rider_id: str, at: int) -> int | None:
        """Until when a rider may work as seen at an instant; None where nothing limits it."""
        known, rule = self._of(rider_id), self._rule
        now = next((span for span in sorted(known.shifts) if span[1] >= at), None)
        if rule is None or now is None:
            return None
        began = fresh = before = 0
        paused = False
        for begin, end in sorted(span for span in known.shifts if span[0] <= now[0]):
            if not before or begin - before >= rule.rest_s:
                began, fresh, paused = begin, begin, False
            elif rule.break_s and begin - before >= rule.break_s:
                fresh, paused = begin, paused or self._is_in_window(before - began)
            before = max(before, end)
        for begin, end in sorted(known.rests):
            if end - begin >= rule.break_s > 0 and begin >= began:
                fresh, paused = max(fresh, end), paused or self._is_in_window(begin - began)
        limits = [] if rule.shift_s is None else [began + rule.shift_s]
        limits += [] if rule.stretch_s is None else [fresh + rule.stretch_s]
        limits += [] if rule.window is None or paused else [began + rule.window[1]]
        return min(limits, default=None)

    def _is_in_window(self, after_s: int) -> bool:
        return self._rule is not None and self._rule.window is not None and after_s >= self._rule.window[0]

    def _of(self, rider_id: str) -> _Watched:
        return self._riders.setdefault(rider_id, _Watched())

    # --- one method per event -----------------------------------------------------------------------------------

    def _on_setting_set(self, event: e.SettingSet) -> None:
        key, value = renamed((event.key, event.value))
        if key == KEY:
            self._rule = hours_rule(str(value)) if value else None

    def _on_preset_set(self, event: e.PresetSet) -> None:
        for key, value in event.values:
            self._on_setting_set(e.SettingSet(at=event.at, key=key, value=value))

    def _on_shift_opened(self, event: e.ShiftOpened) -> None:
        shift = event.shift
        span = (shift.start_at, shift.last_pickup_at if shift.end_at is None else shift.end_at)
        self._of(shift.rider_id).shifts.append(span)

    def _on_shift_closed(self, event: e.ShiftClosed) -> None:
        known = self._of(event.rider_id)
        known.shifts = [
            (begin, min(end, event.at)) if begin <= event.at else (begin, end) for begin, end in known.shifts
        ]

    def _on_break_set(self, event: e.BreakSet) -> None:
        known = self._of(event.rider_id)
        if event.on_break and known.pause_from is None:
            known.pause_from = event.at
        elif not event.on_break and known.pause_from is not None:
            known.rests.append((known.pause_from, event.at))
            known.pause_from = None

    def _on_rest_given(self, event: e.RestGiven) -> None:
        self._of(event.rider_id).rests.append((event.at, event.until))

    def _on_route_revised(self, event: e.RouteRevised) -> None:
        stops = event.route.stops
        known = self._of(event.route.rider_id)
        orders = frozenset(act.order_id for stop in stops for act in stop.acts)
        fresh = orders - known.orders
        known.orders, known.working = orders, {stop.stop_id: bool(stop.acts) for stop in stops}
        if not fresh or self._rule is None:
            return
        ends_at = max(stop.expected_leave_at for stop in stops if stop.acts)
        until = self.lawful_until(event.route.rider_id, event.at)
        if until is not None and ends_at > until:
            self._breach(event, f"works until {ends_at}, {ends_at - until} s beyond the law")
        acting = [stop.expected_act_at for stop in stops if any(act.order_id in fresh for act in stop.acts)]
        if any(begin <= at < end for begin, end in known.rests if begin <= event.at < end for at in acting):
            self._breach(event, "acts while they rest")

    def _breach(self, event: e.RouteRevised, what: str) -> None:
        self.breaches.append(f"hours: rider {event.route.rider_id} {what}, by a plan of {event.at}")

    def _on_rider_done(self, event: e.RiderDone) -> None:
        if self._of(event.rider_id).working.get(event.stop_id) and self._rule is not None:
            until = self.lawful_until(event.rider_id, event.at)
            self.over_s += max(0, event.free_at - until) if until is not None else 0


_HANDLERS = event_handlers(vars(HoursAudit))
