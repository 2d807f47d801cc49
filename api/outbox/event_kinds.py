"""Every kind of event that goes out, with what it says; docs/events.md shows the same table."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["KINDS", "OF_DELIVERIES", "TEST"]

OF_DELIVERIES: Mapping[str, str] = {
    "delivery.created": "it is ours",
    "delivery.changed": "the tenant or operations changed it",
    "delivery.confirmed": "it is on a rider's told route",
    "delivery.enroute_to_pickup": "the rider is on the way to the store",
    "delivery.arrived_at_pickup": "the rider is at the store",
    "delivery.picked_up": "the goods are in the rider's bag",
    "delivery.enroute_to_dropoff": "the rider is on the way to the customer",
    "delivery.arrived_at_dropoff": "the rider is at the door",
    "delivery.delivered": "the customer has the goods, with the grams of CO2 driven for it (`co2_g`)",
    "delivery.returning": "the goods go back to the store, with a reason",
    "delivery.returned": "the goods are back at the store",
    "delivery.cancelled": "it was called off before the goods were picked up",
    "delivery.undelivered": "it ended without a customer and without a store",
    "delivery.corrected": "a late fact changed its state, or operations set it right, with a reason",
    "delivery.proof_locked": "too many wrong PINs at the door: operations decide",
    "delivery.rider_changed": "another rider brings it; not a step back",
    "delivery.ready_changed": "the kitchen has it ready, or expects it at another time",
    "delivery.source_chosen": "the plan has it come from another store, or go to another end; it may change again",
    "delivery.source_told": "its store is to prepare it from now on, ready at `expected_ready_at`",
    "delivery.source_opened": "its store cannot hand it out: another one is chosen, or it ends",
    "delivery.eta_changed": "`expected_dropoff_at` moved by more than `rules.eta_changed_s`",
    "delivery.at_risk": "nobody can say when it comes: its rider is silent, or its store has closed",
    "delivery.giving_up": "nobody can take it: it ends at `ends_at` unless a rider does before, with the reason",
    "delivery.waiting": "no rider can take it now, with the reason",
    "delivery.parked": "no round can be planned with it; it takes part again once something about it changes",
    "delivery.held": "operations keep it back",
    "delivery.let_go": "operations keep it back no longer",
    "delivery.goods_moved": "the goods lie where another rider fetches them",
    "delivery.erased": "what is personal about it is gone",
}
"""What a tenant hears of its own deliveries."""

KINDS: Mapping[str, str] = {
    **OF_DELIVERIES,
    "rider.route": "the told route of a rider is another one",
    "rider.bags": "at the counter, other bags are planned for a rider; they may change until handed over",
    "rider.offer": "a rider is asked to take orders",
    "rider.offer_closed": "an offer was answered, withdrawn, or has expired",
    "rider.lost": "nothing is heard of a rider at work",
    "rider.found": "a lost rider is heard of again",
    "rider.shift": "a shift is planned or begins",
    "rider.shift_ended": "a shift is over",
    "rider.break": "a rider pauses",
    "rider.break_ended": "a rider goes on",
    "rider.reversed": "operations took a decision about a rider back",
    "rider.rest": "a rider is given the break that is due to them, until when and why",
    "rider.apart": "a rider is kept apart from a store, a customer or a door, with the reason",
    "rider.apart_ended": "they may meet again",
    "rider.contradicted": "a rider reported what cannot be; the report is kept and changes nothing",
    "rider.clock_off": "a phone named an instant that cannot be; the nearest possible one is taken",
    "rider.parked": "something failed because of a rider; nothing new is planned for them until something changes",
    "store.state": "a store was closed, opened, or is slower than usual",
    "zone.state": "a zone was paused or works again",
    "service.ladder": "rounds are planned with less effort, or with more again",
    "service.notice_failed": "an event happened that could not be put into words: a fault of ours",
    "shadow.decision": "what a service in shadow would have told a rider",
    "settings.changed": "operations changed a setting of the engine",
}
"""All of them; those that are not about a delivery are for the operator's keys, `rider.*` for the rider too."""

TEST = "webhook.test"
"""What a test call carries: no event, nothing to subscribe to."""
