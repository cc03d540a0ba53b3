"""The service: workers that run what waits in the queue of a ledger."""
