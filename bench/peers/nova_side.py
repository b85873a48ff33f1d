"""What Nova does with a description: run by the peers' Python, JSON in, JSON out.

Only Nova's public classes are driven: HostState, the filters, PciDeviceStats and
numa_fit_instance_to_host. Each job first builds what it needs, says that it is
ready, and then measures.
"""

from __future__ import annotations

import json
import sys
import time
import tracemalloc
import uuid
from itertools import islice, permutations

from nova import context, objects
from nova.conf import CONF
from nova.pci import stats as pci_stats
from nova.scheduler.filters.numa_topology_filter import NUMATopologyFilter
from nova.scheduler.filters.pci_passthrough_filter import PciPassthroughFilter
from nova.scheduler.host_manager import HostState
from nova.virt import hardware

DISK_GB = 10_000
CELL_UUID = str(uuid.uuid4())


def main() -> None:
    objects.register_all()
    CONF([], project="nova", default_config_files=[], default_config_dirs=[])
    job = json.load(sys.stdin)
    CONF.set_override("device_spec", _rules(job), group="pci")
    work = JOBS[job["job"]](job)
    next(work)
    print(json.dumps({"ready": True}), flush=True)
    print(json.dumps(next(work)), flush=True)


def _rules(job):
    products = {d["product"] for h in job.get("hosts", ()) for d in h["devices"]}
    return [json.dumps({"vendor_id": "8086", "product_id": p}) for p in products]


def choose(job):
    """Filter all hosts for one request, as the scheduler does after Placement."""
    if job.get("memory"):
        tracemalloc.start()
    nodes = [_compute_node(host) for host in job["hosts"]]
    start = time.thread_time()
    before = tracemalloc.get_traced_memory()[0] if job.get("memory") else 0
    states = [_host_state(node) for node in nodes]
    built = time.thread_time() - start
    memory = tracemalloc.get_traced_memory()[0] - before if job.get("memory") else 0
    request_ids = [str(uuid.uuid4()) for _ in job["request"]["asked"]]
    candidates = [_candidates(host, job, request_ids) for host in job["hosts"]]
    yield None
    seconds, found = [], []
    for _ in range(job.get("times", 1)):
        for state, some in zip(states, candidates, strict=True):
            state.allocation_candidates = list(some)
        spec = _spec(job["request"], request_ids)
        start = time.thread_time()
        passed = list(PciPassthroughFilter().filter_all(states, spec))
        passed = list(NUMATopologyFilter().filter_all(passed, spec))
        seconds.append(time.thread_time() - start)
        found = [state.host for state in passed]
    yield {"seconds": seconds, "built": built, "found": found, "memory": memory}


def _candidates(host, job, request_ids):
    """List what Placement would offer of a host, ``most`` at most: a card each."""
    free = _free_by_card(host)
    groups = [
        (f"{request_id}-{number}", asked["product"])
        for request_id, asked in zip(request_ids, job["request"]["asked"], strict=True)
        for number in range(asked["count"])
    ]
    cards = [
        (card, product)
        for (card, product), count in free.items()
        for _ in range(min(count, len(groups)))
    ]
    fitting = (
        combination
        for combination in permutations(cards, len(groups))
        if all(c[1] == g[1] for c, g in zip(combination, groups, strict=True))
    )
    seen = dict.fromkeys(islice(fitting, job.get("most", 1000)))
    return [
        {
            "mappings": {
                group: [_provider(host, card)]
                for (group, _), (card, _) in zip(groups, combination, strict=True)
            }
        }
        for combination in seen
    ]


def _free_by_card(host):
    taken = {a for guest in host["guests"] for a in guest["devices"]}
    free = {}
    for device in host["devices"]:
        if device["address"] not in taken:
            key = device["card"], device["product"]
            free[key] = free.get(key, 0) + 1
    return free


def _provider(host, card):
    return str(uuid.uuid5(uuid.UUID(host["uuid"]), card))


def _compute_node(host):
    cells = {device["card"]: device["cell"] for device in host["devices"]}
    whole = {d["card"] for d in host["devices"] if d["card"] == d["address"]}
    pools = [
        objects.PciDevicePool(
            vendor_id="8086",
            product_id=product,
            numa_node=cells[card],
            count=count,
            tags={
                "address": card,
                "dev_type": "type-PCI" if card in whole else "type-VF",
                "remote_managed": "false",
                "rp_uuid": _provider(host, card),
            },
        )
        for (card, product), count in _free_by_card(host).items()
    ]
    memory = sum(cell["memory_mb"] for cell in host["cells"])
    used = sum(guest["memory_mb"] for guest in host["guests"])
    cpus = sum(cell["cores"] * cell["threads"] for cell in host["cells"])
    return objects.ComputeNode(
        uuid=host["uuid"],
        host=host["name"],
        hypervisor_hostname=host["name"],
        vcpus=cpus,
        vcpus_used=sum(len(guest["cpus"]) for guest in host["guests"]),
        memory_mb=memory,
        memory_mb_used=used,
        free_ram_mb=memory - used,
        local_gb=DISK_GB,
        local_gb_used=0,
        free_disk_gb=DISK_GB,
        disk_available_least=DISK_GB,
        updated_at=None,
        hypervisor_type="QEMU",
        hypervisor_version=8002000,
        host_ip="127.0.0.1",
        cpu_info="",
        supported_hv_specs=[],
        stats={},
        metrics="[]",
        cpu_allocation_ratio=1.0,
        ram_allocation_ratio=1.0,
        disk_allocation_ratio=1.0,
        numa_topology=_topology(host)._to_json(),  # noqa: SLF001 - as Nova itself
        pci_device_pools=objects.PciDevicePoolList(objects=pools),
    )


def _topology(host):
    return objects.NUMATopology(cells=[_cell(c, host) for c in host["cells"]])


def _cell(cell, host):
    guests = [g for g in host["guests"] if g["cell"] == cell["id"]]
    first, threads = cell["first_cpu"], cell["threads"]
    cpus = set(range(first, first + cell["cores"] * threads))
    cores = range(first, first + cell["cores"] * threads, threads)
    used = sum(guest["memory_mb"] for guest in guests)
    pages = objects.NUMAPagesTopology(
        size_kb=4, total=cell["memory_mb"] * 256, used=used * 256, reserved=0
    )
    return objects.NUMACell(
        id=cell["id"],
        socket=cell["socket"],
        cpuset=set(),
        pcpuset=cpus,
        memory=cell["memory_mb"],
        cpu_usage=sum(len(guest["cpus"]) for guest in guests),
        memory_usage=used,
        pinned_cpus={cpu for guest in guests for cpu in guest["cpus"]},
        siblings=[set(range(cpu, cpu + threads)) for cpu in cores],
        mempages=[pages],
        network_metadata=objects.NetworkMetadata(physnets=set(), tunneled=False),
    )


def _host_state(node):
    state = HostState(node.host, node.hypervisor_hostname, CELL_UUID)
    state.update(compute=node)
    return state


def _spec(request, request_ids):
    cells, start = [], 0
    for number, (cpus, memory_mb) in enumerate(request["cells"]):
        cells.append(
            objects.InstanceNUMACell(
                id=number,
                cpuset=set(),
                pcpuset=set(range(start, start + cpus)),
                memory=memory_mb,
                cpu_policy="dedicated",
            )
        )
        start += cpus
    memory = sum(memory_mb for _, memory_mb in request["cells"])
    server = str(uuid.uuid4())
    return objects.RequestSpec(
        context.get_admin_context(),
        instance_uuid=server,
        num_instances=1,
        flavor=objects.Flavor(
            vcpus=start,
            memory_mb=memory,
            root_gb=0,
            ephemeral_gb=0,
            swap=0,
            extra_specs={"hw:cpu_policy": "dedicated"},
        ),
        image=objects.ImageMeta(properties=objects.ImageMetaProps()),
        numa_topology=objects.InstanceNUMATopology(instance_uuid=server, cells=cells),
        pci_requests=objects.InstancePCIRequests(
            instance_uuid=server, requests=_pci_requests(request, request_ids)
        ),
        scheduler_hints={},
    )


def _pci_requests(request, request_ids):
    return [
        objects.InstancePCIRequest(
            count=asked["count"],
            spec=[{"vendor_id": "8086", "product_id": asked["product"]}],
            alias_name="a",
            request_id=request_id,
            numa_policy=asked["policy"],
        )
        for asked, request_id in zip(request["asked"], request_ids, strict=True)
    ]


def pools(job):
    """Keep the books of one host's free devices: all in, then one out."""
    (host,) = job["hosts"]
    topology = _topology(host)
    devices = [_device(number, d) for number, d in enumerate(host["devices"])]
    request_ids = [str(uuid.uuid4()) for _ in job["request"]["asked"]]
    asked = _pci_requests(job["request"], request_ids)
    yield None
    built, consumed = [], []
    for _ in range(job["times"]):
        start = time.thread_time()
        stats = pci_stats.PciDeviceStats(topology)
        for device in devices:
            stats.add_device(device)
        built.append(time.thread_time() - start)
        start = time.thread_time()
        stats.consume_requests(asked)
        consumed.append(time.thread_time() - start)
    yield {"built": built, "consumed": consumed}


def _device(number, device):
    whole = device["card"] == device["address"]
    return objects.PciDevice(
        id=number,
        compute_node_id=1,
        address=device["address"],
        vendor_id="8086",
        product_id=device["product"],
        dev_type="type-PCI" if whole else "type-VF",
        status="available",
        numa_node=device["cell"],
        parent_addr=None if whole else device["card"],
        extra_info={},
        request_id=None,
        dev_id=device["address"],
        label="",
        instance_uuid=None,
    )


def fits(job):
    """Fit many small requests, each on its host; where each guest cell landed."""
    cases = []
    for host, request in zip(job["hosts"], job["requests"], strict=True):
        request_ids = [str(uuid.uuid4()) for _ in request["asked"]]
        state = _host_state(_compute_node(host))
        spec = _spec(request, request_ids)
        cases.append((state, spec))
    yield None
    start = time.thread_time()
    answers = [_fit(state, spec) for state, spec in cases]
    yield {"seconds": time.thread_time() - start, "answers": answers}


def _fit(state, spec):
    fitted = hardware.numa_fit_instance_to_host(
        state.numa_topology,
        spec.numa_topology,
        provider_mapping={},
        limits=objects.NUMATopologyLimits(
            cpu_allocation_ratio=1.0, ram_allocation_ratio=1.0
        ),
        pci_requests=spec.pci_requests.requests,
        pci_stats=state.pci_stats,
    )
    if fitted is None:
        return None
    return [
        {"cell": cell.id, "pins": sorted((cell.cpu_pinning or {}).items())}
        for cell in fitted.cells
    ]


JOBS = {"choose": choose, "pools": pools, "fits": fits}

if __name__ == "__main__":
    main()
