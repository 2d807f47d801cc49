"""The engine behind HTTP: wall clock, ledger, wire."""
