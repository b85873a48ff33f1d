"""The kernel's own files: what libvirt does not tell of devices, and writes to them.

The root of the file system is an argument: a folder of a test serves as well.
"""
