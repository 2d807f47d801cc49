"""Hand over an order to a live service and follow it.

Start one with `halfhour serve`; it prints its address and keys.  Put them into HH and ORDERS:

    HH=http://127.0.0.1:8080 ORDERS=hh_... python examples/call_the_service.py
"""

import os
import uuid

import halfhour


def main() -> None:
    """Ask for a quote, accept it, and read the delivery's facts so far."""
    name = f"o-{uuid.uuid4().hex[:8]}"
    with halfhour.Client(os.environ["HH"], os.environ["ORDERS"]) as service:
        quote = service.orders.quote(
            external_delivery_id=name,
            pickup_store_id="store-1",
            dropoff={"location": {"lat": 48.1425, "lng": 11.5801}, "address": "Example Street 7"},
        )
        print("promised by", quote["promise"]["due_at"])
        delivery = service.orders.accept(name, quote["quote_id"])
        print(delivery["delivery_id"], "is", delivery["status"])
        print("the customer follows it at", delivery["tracking_path"])


if __name__ == "__main__":
    main()
