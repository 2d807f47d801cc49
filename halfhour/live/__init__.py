"""What commands know of a running service and its ledger."""
