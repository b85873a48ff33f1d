"""What the payload prints is read as it is meant."""

from tests.lab.guest_report import read_report

# Seen in the lab, with a boot before it.
CONSOLE = """guest: up cpus=1 cells=0\r
guest: done\r
guest: up cpus=2 cells=2\r
guest: cell 0 cpus=1 memory-mib=16\r
guest: cell 1 cpus=1 memory-mib=16\r
guest: pci ff:00.0 id=8086:10ca class=020000 cell=1 status=800c8483\r
guest: pci fd:00.0 id=1234:5d06 class=030200 cell=0 uuid=11111111-2222-3333-4444-5 \
type=sundog_card-2g mib=2048 host-node=2 host-address=0000:61:00.0 memory=ok\r
"""


def test_the_last_boot_is_read() -> None:
    """Cells, functions by product, and whether all was told."""
    report = read_report(CONSOLE)
    assert (report.cpus, report.cells, report.done) == (2, {0: 1, 1: 1}, False)
    [nic] = report.with_id("8086:10ca")
    assert (nic.cell, nic.facts["status"]) == (1, "800c8483")
    [slice_] = report.with_id("1234:5d06")
    assert slice_.facts["type"] == "sundog_card-2g"
    assert slice_.facts["host-address"] == "0000:61:00.0"
    assert read_report(CONSOLE + "guest: done\r\n").done


def test_a_console_is_read_while_the_guest_writes_it() -> None:
    """Wherever it is cut, each function that is told is told whole."""
    whole = read_report(CONSOLE)
    for length in range(CONSOLE.index("guest: cell 0"), len(CONSOLE)):
        report = read_report(CONSOLE[:length])
        assert report.functions == whole.functions[: len(report.functions)]
        assert report.cells.items() <= whole.cells.items()
    assert len(whole.functions) == 2


def test_what_was_plugged_since_is_read() -> None:
    """What came is there, what went is not."""
    plugged = "guest: pci 0a:00.0 id=8086:10ca class=020000 cell=1 status=800c8483\r\n"
    report = read_report(f"{CONSOLE}guest: done\r\n{plugged}")
    assert (len(report.with_id("8086:10ca")), report.done) == (2, True)
    report = read_report(f"{CONSOLE}guest: done\r\nguest: unplugged ff:00.0\r\n")
    assert report.with_id("8086:10ca") == []
    assert len(report.with_id("1234:5d06")) == 1
