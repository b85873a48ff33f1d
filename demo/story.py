"""The main job: from a whitelist to running guests, and back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from demo.stage import Play, UnexpectedError

if TYPE_CHECKING:
    from pathlib import Path

    from demo.stage import Stage

_CREATE = "openstack flavor create -c name -c properties"
_SET = "openstack flavor set --property "
_BOOT = "openstack server create -c name -c status --image tiny --nic none --wait"
_SHOWN = ("device_spec", "alias", "host_file")


def tell(stage: Stage, config: Path) -> None:
    """Tell the whole story; raises UnexpectedError where it goes astray."""
    _show_configuration(stage, config)
    _make_flavors(stage)
    _boot_servers(stage)
    card = _look_round(stage)
    _look_into_placement(stage, card)
    _delete(stage)
    _draw(stage)


def _show_configuration(stage: Stage, config: Path) -> None:
    stage.title(f"What the operator configured ({config.parent.name}/{config.name})")
    for line in config.read_text(encoding="utf-8").splitlines():
        if line.split("=", 1)[0].strip() in _SHOWN or line.startswith("["):
            stage.say(f"  {line}")


def _make_flavors(stage: Stage) -> None:
    stage.title("Flavors: a whole GPU, a VF, a vGPU, and everything at once")
    alias = "--property pci_passthrough:alias"
    stage.together(
        [
            Play(f"{_CREATE} gpu --vcpus 2 --ram 4096 --disk 10 {alias}=GPU:1"),
            Play(f"{_CREATE} vf --vcpus 1 --ram 1024 --disk 5 {alias}=NIC:1"),
            Play(f"{_CREATE} vgpu --vcpus 2 --ram 2048 --disk 5"),
            Play(
                f"{_CREATE} pinned --vcpus 4 --ram 8192 --disk 20 "
                f"{alias}=vGPU:2,NIC:1 --property hw:cpu_policy=dedicated "
                "--property hw:mem_page_size=2MB "
                "--property hw:pci_numa_affinity_policy=required"
            ),
            Play(f"{_CREATE} two-gpus --vcpus 2 --ram 4096 --disk 10 {alias}=GPU:2"),
        ]
    )
    stage.title("A vGPU is asked for like any device; a slip is refused, and named")
    stage.together(
        [
            Play(f'{_SET}"pci_passthrough:alias"="vGPU:1" vgpu'),
            Play(f"{_SET}pci_passthrough:alias=vGPU:none gpu", status=1, says="none"),
        ]
    )


def _boot_servers(stage: Stage) -> None:
    stage.title("Servers: four that fit, and one that cannot")
    stage.together(
        [
            Play(f"{_BOOT} --flavor gpu whole", says="ACTIVE"),
            Play(f"{_BOOT} --flavor vf net", says="ACTIVE"),
            Play(f"{_BOOT} --flavor vgpu slice", says="ACTIVE"),
            Play(f"{_BOOT} --flavor pinned train", says="ACTIVE"),
            Play(f"{_BOOT} --flavor two-gpus greedy", status=1),
        ],
        # The client sleeps for 5 s between two looks at a server.
        at_once=5,
    )


def _look_round(stage: Stage) -> str:
    """Return the provider's name of a card that the server `train` has a part of."""
    stage.title("What runs, where it runs, and why one does not")
    said = stage.together(
        [
            Play("openstack server list -c Name -c Status -c Flavor -c Image"),
            Play("openstack server show -c status -c fault greedy", says="ERROR"),
            Play("openstack hypervisor list", says="gpu2"),
            Play("sundog devices --server train", says="VF"),
        ]
    )[-1]
    host = re.search(r" on ([^\s,]+),", said)
    held = re.search(r"(\S+) +MDEV", said)
    if not host or not held:
        raise UnexpectedError("the server train holds no vGPU")
    return f"{host[1]}_{held[1].upper()}"


def _look_into_placement(stage: Stage, card: str) -> None:
    stage.title("Placement's ledger: host, NUMA cell, card")
    said = stage.run(
        "openstack resource provider list -c uuid -c name -c parent_provider_uuid"
    )
    rows = re.findall(r"^\| (\S{36}) \| (\S+) +\| (\S+)", said, re.MULTILINE)
    cell = next((parent for _, name, parent in rows if name == card), "")
    inventory = "openstack resource provider inventory list "
    columns = " -c resource_class -c total -c used -c max_unit"
    uuid = next((uuid for uuid, name, _ in rows if name == card), "")
    if not uuid:
        raise UnexpectedError(f"Placement has no provider {card}")
    stage.say(f"The cell and the card ({card}) that the server train has parts of:")
    stage.together(
        [
            Play(f"{inventory}{cell}{columns}", says="PCPU"),
            Play(f"{inventory}{uuid}{columns}", says="NVIDIA_232"),
        ]
    )


def _delete(stage: Stage) -> None:
    stage.title("And back: the VF is free again")
    stage.run("openstack server delete --wait net greedy")


def _draw(stage: Stage) -> None:
    stage.title("What is left, why one flavor fits nowhere, and the picture")
    stage.together(
        [
            Play("openstack server list -c Name -c Status -c Flavor", says="train"),
            Play("sundog explain two-gpus", says="fits nowhere"),
            Play("sundog explain vgpu", says="fits on 2 hosts"),
            Play("sundog show", says="train"),
        ]
    )
