"""Facts to the outside: notices, the feed of events, webhooks."""
