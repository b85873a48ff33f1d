"""Libvirt: node-device XML and guest XML, devices made ready, guests run.

What a host's kernel and libvirt tell and do comes through ``HostKernel``, so that
the same code serves a real host and a simulated one.
"""
