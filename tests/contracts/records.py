"""Any flavor, server, claim and service that a store may be given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from hypothesis import strategies as st

from sundog.core.choosing.assignment import Assignment, CellShare, DeviceShare
from sundog.core.devices.device import DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.lives.claim import Claim, ClaimState
from sundog.core.lives.intent import Intent
from sundog.core.lives.plug import Attached, PlugState
from sundog.core.lives.server import Fault, Phase, Server
from sundog.core.moves.migration import Migration, MoveKind, MoveState
from sundog.core.requests.flavor import Flavor
from sundog.workflows.ports import ServiceRecord

_LARGEST: Final = 2**31 - 1
NOON: Final = datetime(2026, 1, 2, 12, tzinfo=UTC)

# PostgreSQL keeps no NUL in text, and nothing keeps half a surrogate pair.
_characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(_characters, max_size=5)
_counts = st.integers(0, _LARGEST)
_times = st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  Hypothesis adds the zone
_maps = st.dictionaries(texts, texts, max_size=2)
_cpus = st.frozensets(st.integers(0, 4095), max_size=4)
_addresses = st.builds(
    PciAddress,
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.integers(0, 31),
    st.integers(0, 255),
)

flavors = st.builds(
    Flavor,
    id=texts,
    name=texts,
    vcpus=_counts,
    memory_mb=_counts,
    disk_gb=_counts,
    ephemeral_gb=_counts,
    swap_mb=_counts,
    rxtx_factor=st.floats(0, 1e6),
    is_public=st.booleans(),
    description=st.none() | texts,
    extra_specs=_maps,
)

intents = st.builds(
    Intent,
    job=texts,
    began=_times,
    steps=st.lists(texts, max_size=2).map(tuple),
    at=_counts,
    # Fields of a server, some of them.
    before=st.fixed_dictionaries(
        {},
        optional={
            "flavor": flavors,
            "host": st.none() | texts,
            "image_properties": _maps,
            "launched": st.none() | _times,
            "tags": st.frozensets(texts, max_size=2),
        },
    ),
    facts=_maps,
)

servers = st.builds(
    Server,
    id=st.uuids(),
    name=texts,
    project_id=texts,
    user_id=texts,
    flavor=flavors,
    image_id=texts,
    created=_times,
    updated=_times,
    phase=st.sampled_from(Phase),
    host=st.none() | texts,
    fault=st.none() | st.builds(Fault, code=_counts, message=texts, created=_times),
    launched=st.none() | _times,
    terminated=st.none() | _times,
    metadata=_maps,
    image_properties=_maps,
    tags=st.frozensets(texts, max_size=2),
    description=st.none() | texts,
    hostname=texts,
    reservation_id=texts,
    launch_index=_counts,
    config_drive=st.booleans(),
    availability_zone=texts,
    user_data=st.none() | texts,
    wanted_host=st.none() | texts,
    locked=st.booleans(),
    locked_reason=st.none() | texts,
    key_name=st.none() | texts,
    group=st.none() | texts,
    intent=st.none() | intents,
    attached=st.lists(
        st.builds(Attached, id=texts, asks=texts, count=_counts), max_size=2
    ).map(tuple),
    detached=st.frozensets(texts, max_size=2),
)

_cell_shares = st.builds(
    CellShare,
    host_cell=_counts,
    guest_cell=st.none() | _counts,
    shared_cpus=_counts,
    pins=st.lists(st.tuples(_counts, _counts), max_size=2).map(tuple),
    blocked=_cpus,
    memory_mb=_counts,
    page_kb=_counts,
)
_device_shares = st.builds(
    DeviceShare,
    slot=texts,
    alias=texts,
    kind=st.sampled_from(DeviceKind),
    address=_addresses,
    card=_addresses,
    resource_class=texts,
    cost=_counts,
    type_id=texts,
    numa_nodes=_cpus,
    guest_cell=st.none() | _counts,
    managed=st.booleans(),
    plug=st.sampled_from(PlugState),
)
_assignments = st.builds(
    Assignment,
    host=texts,
    cells=st.lists(_cell_shares, max_size=2).map(tuple),
    devices=st.lists(_device_shares, max_size=2).map(tuple),
    disk_gb=_counts,
)
claims = st.builds(
    Claim,
    consumer=st.uuids(),
    assignment=_assignments,
    state=st.sampled_from(ClaimState),
    guest=st.none() | st.uuids(),
)
migrations = st.builds(
    Migration,
    id=st.uuids(),
    server_id=st.uuids(),
    kind=st.sampled_from(MoveKind),
    project_id=texts,
    user_id=texts,
    created=_times,
    updated=_times,
    old=_assignments,
    old_flavor=flavors,
    new_flavor=flavors,
    new=st.none() | _assignments,
    rest=st.none() | _assignments,
    state=st.sampled_from(MoveState),
    wanted_host=st.none() | texts,
)

services = st.builds(
    ServiceRecord,
    id=st.uuids(),
    host=texts,
    binary=texts,
    disabled=st.booleans(),
    disabled_reason=st.none() | texts,
    forced_down=st.booleans(),
    last_seen=st.none() | _times,
)


def a_flavor(flavor_id: str = "1", name: str = "small") -> Flavor:
    """Return a plain flavor."""
    return Flavor(id=flavor_id, name=name, vcpus=1, memory_mb=512, disk_gb=1)


def a_server(
    number: int, *, project_id: str = "demo", created: datetime = NOON
) -> Server:
    """Return a plain server; ``number`` makes its id."""
    return Server(
        id=UUID(int=number),
        name=f"server-{number}",
        project_id=project_id,
        user_id="me",
        flavor=a_flavor(),
        image_id="tiny",
        created=created,
        updated=created,
    )


def a_claim(number: int, host: str = "gpu1") -> Claim:
    """Return a plain claim; ``number`` makes its consumer's id."""
    return Claim(consumer=UUID(int=number), assignment=Assignment(host=host))


def a_migration(number: int, server: int = 1, source: str = "gpu1") -> Migration:
    """Return a migration that was just asked for; ``number`` makes its id."""
    return Migration(
        id=UUID(int=number),
        server_id=UUID(int=server),
        kind=MoveKind.COLD,
        project_id="demo",
        user_id="me",
        created=NOON,
        updated=NOON,
        old=Assignment(host=source),
        old_flavor=a_flavor(),
        new_flavor=a_flavor(),
    )
