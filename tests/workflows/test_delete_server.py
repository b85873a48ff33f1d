"""Deleting gives everything back; what fails is held, never lost."""

import pytest
from tests.workflows.world import flavor, host, world

from sundog.core.errors import HostRefusedError, NotFoundError
from sundog.core.lives.server import Phase, ServerStatus

VGPU = flavor("vgpu", pci="vGPU:1")


def test_delete_gives_all_back() -> None:
    """After a delete the same device serves the next server."""
    here = world(host("a", mdevs=1))
    for _ in range(3):
        [one] = here.boot(VGPU)
        assert here.servers.get(one).status is ServerStatus.ACTIVE
        here.servers.delete(one)
        here.work()
        assert here.store.servers.get(one).phase is Phase.DELETED
        here.check_agreement()
    assert here.agents["a"].guests == {}


def test_deleted_server_is_not_found() -> None:
    """A deleted server is gone for the API."""
    here = world(host("a"))
    [one] = here.boot(VGPU)
    here.servers.delete(one)
    here.work()
    with pytest.raises(NotFoundError):
        here.servers.get(one)
    with pytest.raises(NotFoundError):
        here.servers.delete(one)


def test_deleting_twice_is_deleting_once() -> None:
    """A second delete while the first is queued changes nothing."""
    here = world(host("a"))
    [one] = here.boot(VGPU)
    here.servers.delete(one)
    here.servers.delete(one)
    here.work()
    assert here.store.servers.get(one).phase is Phase.DELETED
    here.check_agreement()


def test_server_in_error_can_be_deleted() -> None:
    """What holds nothing is deleted at once."""
    here = world(host("a"))
    [one] = here.boot(flavor("many", pci="vGPU:9"))
    here.servers.delete(one)
    here.work()
    assert here.store.servers.get(one).phase is Phase.DELETED


def test_failed_delete_keeps_the_claim_and_goes_on_later() -> None:
    """A device that cannot be given back stays claimed until it can."""
    here = world(host("a", mdevs=1))
    [one] = here.boot(VGPU)
    here.agents["a"].removal_errors.append(HostRefusedError("the driver holds it"))
    here.servers.delete(one)
    here.work()
    server = here.servers.get(one)
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    assert "the driver holds it" in server.fault.message
    assert server.host == "a"
    [other] = here.boot(VGPU)
    assert here.servers.get(other).status is ServerStatus.ERROR
    here.servers.delete(one)
    here.work()
    assert here.store.servers.get(one).phase is Phase.DELETED
    here.check_agreement()
