"""Looking after a ledger: copies, checks, upgrades, and what somebody accepted."""
