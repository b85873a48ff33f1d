"""Placement, the ledger: in this process or over HTTP."""
