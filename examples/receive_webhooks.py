"""Check a webhook before you believe it: a receiver without a framework.

    SECRET=whsec_... python examples/receive_webhooks.py 9000

The secret is answered when the webhook is registered (`POST /v1/webhooks`).
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from halfhour.client import InvalidSignature, verify_webhook


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to what is signed, 401 to everything else, and prints each event once."""

    seen: set[str] = set()  # noqa: RUF012

    def do_POST(self) -> None:
        """Take one event; a repeated one is answered like the first."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            event_id = verify_webhook([os.environ["SECRET"]], dict(self.headers), body, now=int(time.time()))
        except InvalidSignature as problem:
            print("refused:", problem)
            self.send_response(401)
        else:
            if event_id not in self.seen:
                self.seen.add(event_id)
                print(json.loads(body)["kind"])
            self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print events only."""


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
