"""The ledger of a market in PostgreSQL (extra `postgres`); the only room that imports psycopg."""
