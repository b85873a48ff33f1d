"""The main job: from a whitelist to running guests, and back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from demo.stage import Play, UnexpectedError

if TYPE_CHECKING:
    from pathlib import Path

    from demo.stage import Stage

_CREATE = "openstack flavor create -c name -c properties"
_BOOT = "openstack server create -c name -c status --image tiny --nic none --wait"
_SHOWN = ("device_spec", "alias", "host_file")


def tell(stage: Stage, config: Path) -> None:
    """Tell the whole story; raises UnexpectedError where it goes astray."""
    _show_configuration(stage, config)
    _make_flavors(stage)
    _boot_servers(stage)
    _look_round(stage)
    _look_into_placement(stage)
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
    stage.run('openstack flavor set --property "pci_passthrough:alias"="vGPU:1" vgpu')
    stage.say("A slip is refused at once, and the part at fault is named:")
    stage.run(
        "openstack flavor set --property pci_passthrough:alias=vGPU:none vgpu",
        status=1,
        says="none",
    )


def _boot_servers(stage: Stage) -> None:
    stage.title("Servers: four that fit, and one that cannot")
    stage.together(
        [
            Play(f"{_BOOT} --flavor gpu whole", says="ACTIVE"),
            Play(f"{_BOOT} --flavor vf net", says="ACTIVE"),
            Play(f"{_BOOT} --flavor vgpu slice", says="ACTIVE"),
            Play(f"{_BOOT} --flavor pinned train", says="ACTIVE"),
        ]
    )
    stage.run(f"{_BOOT} --flavor two-gpus greedy", status=1)
    stage.run("openstack server show -c status -c fault greedy", says="ERROR")


def _look_round(stage: Stage) -> None:
    stage.title("What runs, and where")
    stage.together(
        [
            Play("openstack server list -c Name -c Status -c Flavor -c Image"),
            Play(
                "openstack server show -c name -c status -c flavor "
                "-c OS-EXT-SRV-ATTR:host train"
            ),
            Play("openstack hypervisor list", says="gpu2"),
            Play("sundog devices --server train", says="VF"),
        ]
    )


def _look_into_placement(stage: Stage) -> None:
    stage.title("Placement's ledger: host, NUMA cell, card")
    said = stage.run(
        "openstack resource provider list -c uuid -c name -c parent_provider_uuid"
    )
    providers = {
        name: uuid
        for uuid, name in re.findall(
            r"^\| ([0-9a-f-]{36}) \| (\S+)", said, re.MULTILINE
        )
    }
    cells = [name for name in providers if re.search(r"_cell", name)]
    cards = [name for name in providers if re.search(r"_0000:", name)]
    if not cells or not cards:
        raise UnexpectedError("Placement shows no NUMA cell or no card")
    columns = "-c resource_class -c total -c used -c max_unit"
    stage.together(
        [
            Play(f"openstack resource provider inventory list {uuid} {columns}")
            for uuid in (providers[cells[0]], providers[cards[0]])
        ]
    )


def _delete(stage: Stage) -> None:
    stage.title("And back: the VF's server goes, the VF is free again")
    stage.run("openstack server delete --wait net greedy")
    stage.run("openstack server list -c Name -c Status -c Flavor")


def _draw(stage: Stage) -> None:
    stage.title("The picture")
    stage.run("sundog explain two-gpus", says="fits nowhere")
    stage.run("sundog show", says="train")
