"""Simulated hosts: a host file gives a host whose kernel behaves."""
