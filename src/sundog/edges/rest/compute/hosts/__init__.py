"""Hosts as the operator sorts them: aggregates and availability zones."""
