"""Running scenarios: ledger, teardown, report."""
