"""Fitting a guest onto hosts, cells, CPUs and devices, or saying why not."""
