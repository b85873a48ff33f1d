"""The lab: a host with cards, VFs and NUMA cells, emulated; see docs/lab.md."""
