"""What all tests share."""

from hypothesis import settings

# The same examples in every run, and no deadline: CI machines are slow at times.
settings.register_profile("sundog", derandomize=True, deadline=None)
settings.load_profile("sundog")

pytest_plugins = ["tests.clients.openstack_command"]
