"""What the picture does with odd hosts."""

from __future__ import annotations

import io
import json
import re
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from sundog.edges.cli.picture import draw_hosts

if TYPE_CHECKING:
    from sundog.edges.cli.answers import Card, Device, Host

RECORDED = Path(__file__).parent / "recorded" / "hosts.json"
GPU1, HOST_A = json.loads(RECORDED.read_text(encoding="utf-8"))["hosts"]


def _drawn(host: Host, *, encoding: str = "utf-8", colour: bool = False) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    console = Console(
        file=file,
        width=100,
        color_system="standard" if colour else None,
        force_terminal=colour,
    )
    draw_hosts([host], console)
    return raw.getvalue().decode(encoding)


def _with_card(card: Card) -> Host:
    host: Host = deepcopy(HOST_A)
    host["sockets"], host["loose_cards"] = [], [card]
    return host


def _device(**fields: object) -> Device:
    device: Device = deepcopy(HOST_A["loose_cards"][0]["devices"][0])
    device.update(fields)  # type: ignore[typeddict-item]  # a test's own fields
    return device


def _card(devices: list[Device], **fields: object) -> Card:
    card: Card = deepcopy(HOST_A["loose_cards"][0])
    card["devices"] = devices
    card.update(fields)  # type: ignore[typeddict-item]  # a test's own fields
    return card


def _holder(number: int) -> dict[str, str]:
    name = f"s{number}"
    return {"server_id": name, "server_name": name, "slot": "", "type": "t"}


def test_a_terminal_without_unicode_gets_ascii() -> None:
    """Boxes and bars are drawn with plain characters where others cannot be shown."""
    assert "|train|train|small" in _drawn(GPU1, encoding="ascii")


def test_colour_adds_only_colour() -> None:
    """With colours and without, the characters are the same."""
    coloured = _drawn(GPU1, colour=True)
    assert "\x1b[7;36m▌train" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == _drawn(GPU1)


def test_more_vfs_than_can_be_shown_are_counted() -> None:
    """A card with more than 256 VFs is drawn with 256, and the rest counted."""
    vfs = [_device(kind="type-VF", free=1, reason="") for _ in range(300)]
    picture = _drawn(_with_card(_card(vfs)))
    assert picture.count("·") == 256
    assert "and 44 more" in picture
    assert "0 held, 300 left" in picture


def test_more_servers_than_letters_share_a_sign() -> None:
    """From the 53rd server on, a block shows that it is held, not by whom."""
    vfs = [_device(kind="type-VF", holders=[_holder(n)]) for n in range(60)]
    host = _with_card(_card(vfs))
    host["servers"] = []
    picture = _drawn(host)
    assert "│WXYZ########            │" in picture
    assert picture.count("#") == 8


def test_what_others_made_is_not_shown_as_free() -> None:
    """A budget taken by none of our servers is drawn as shut."""
    made = _device(kind="type-MDEV", type="t", total=4, holders=[_holder(1)])
    picture = _drawn(_with_card(_card([made], budget=4, budget_used=2)))
    assert "▌s1   ✗✗✗✗✗✗············" in picture


def test_narrow_slices_show_letters() -> None:
    """Where a name does not fit into a slice, the server's letter stands."""
    holders = [_holder(1), _holder(2)]
    small = _device(kind="type-MDEV", type="t", total=24, holders=holders)
    picture = _drawn(_with_card(_card([small], budget=24, budget_used=2)))
    assert "│cd······················│" in picture


def test_a_card_of_one_type_at_a_time_says_so_and_types_are_bounded() -> None:
    """Four types are listed, those in use first; the others are counted."""
    types = [
        _device(kind="type-MDEV", type=f"t{n}", holders=[_holder(1)] * n)
        for n in range(7)
    ]
    picture = _drawn(_with_card(_card(types, one_type=True)))
    assert "one type at a time" in picture
    assert "and 3 more types" in picture
    assert picture.index("t6 ") < picture.index("t5 ")


def test_functions_that_share_a_card_are_drawn_as_one() -> None:
    """Mdevs on VFs: what is left is the card's, not the sum of its functions'."""
    device = {"kind": "type-MDEV", "type": "t", "total": 1, "cost": 6}
    held = _device(**device, holders=[_holder(1)])
    free = [_device(**device, free=1) for _ in range(7)]
    picture = _drawn(_with_card(_card([held, *free], budget=24, budget_used=6)))
    assert "▌s1   ··················" in picture
    assert "t         1 held, 3 left" in picture


def test_a_whole_function_says_why_it_is_not_free() -> None:
    """Held by a server, in use otherwise, or unavailable with the reason."""
    shut = _device(kind="type-PCI", state="claimed", free=0)
    lost = _device(kind="type-PCI", holders=[_holder(1) | {"server_name": ""}])
    assert "✗ not free" in _drawn(_with_card(_card([shut])))
    assert "▌not recorded" in _drawn(_with_card(_card([lost])))


def test_a_disabled_host_says_why() -> None:
    """The service's state and the operator's reason stand in the title."""
    host = deepcopy(HOST_A)
    host.update(state="down", status="disabled", status_reason="new fan", servers=[])
    host["sockets"][0]["id"] = None
    host["sockets"][0]["cells"][0].update(shared=[], dedicated=[], memory_mb=0)
    picture = _drawn(host)
    assert "host-a  down, disabled: new fan" in picture
    assert "no servers" in picture
    assert "socket unknown" in picture


def test_a_server_that_is_not_active_says_so() -> None:
    """The status stands behind the name."""
    host = deepcopy(HOST_A)
    host["servers"][0]["status"] = "ERROR"
    assert "a ml-1 (ERROR)   b ml-2" in _drawn(host)
