/*
 * Reads ACPI's tables: RSDP, RSDT, FADT (power), MADT (CPUs), SRAT (cells), and in
 * the DSDT's byte code the names _BBN and _PXM of each PCI host bridge.
 * Source: ACPI 6.4, 5.2 and 20.2.
 */
#include "acpi.h"

static u32 name_at(u32 at) { return mem32(at); }

#define NAME(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

static u32 find_pointer(void)
{
	for (u32 at = 0xe0000; at < 0x100000; at += 16)
		if (name_at(at) == NAME('R', 'S', 'D', ' ') &&
		    name_at(at + 4) == NAME('P', 'T', 'R', ' '))
			return at;
	return 0;
}

static void read_cpus(struct firmware *told, u32 table)
{
	u32 end = table + mem32(table + 4);

	for (u32 at = table + 44; at < end; at += mem8(at + 1)) {
		int is_enabled = mem8(at) == 0 ? mem32(at + 4) & 1 :
				 mem8(at) == 9 ? mem32(at + 8) & 1 : 0;
		told->cpus += is_enabled;
	}
}

static struct cell *cell(struct firmware *told, u32 id)
{
	if (id >= MOST_CELLS)
		id = MOST_CELLS - 1;
	if ((int)id >= told->cell_count)
		told->cell_count = id + 1;
	return &told->cells[id];
}

static void read_cells(struct firmware *told, u32 table)
{
	u32 end = table + mem32(table + 4);

	for (u32 at = table + 48; at < end; at += mem8(at + 1)) {
		switch (mem8(at)) {
		case 0: /* a CPU by its local APIC */
			if (mem32(at + 4) & 1)
				cell(told, mem8(at + 2))->cpus++;
			break;
		case 1: /* a range of memory, in pages */
			if (mem32(at + 28) & 1)
				cell(told, mem32(at + 2))->memory_kib +=
					mem32(at + 16) >> 10 | mem32(at + 20) << 22;
			break;
		case 2: /* a CPU by its x2APIC */
			if (mem32(at + 12) & 1)
				cell(told, mem32(at + 4))->cpus++;
		}
	}
}

/* Return the integer that stands in byte code; no integer is -1. */
static int integer_at(u32 at)
{
	switch (mem8(at)) {
	case 0x00:
	case 0x01:
		return mem8(at);
	case 0x0a:
		return mem8(at + 1);
	case 0x0b:
		return mem16(at + 1);
	case 0x0c:
		return mem32(at + 1);
	}
	return -1;
}

/* A host bridge's device names its bus before its proximity. */
static void read_bridges(struct firmware *told, u32 table)
{
	u32 end = table + mem32(table + 4);
	int bus = 0;

	for (u32 at = table + 36; at + 8 < end; at++) {
		u32 name;

		if (mem8(at) != 0x08) /* Name() */
			continue;
		name = name_at(at + 1);
		if (name == NAME('_', 'B', 'B', 'N'))
			bus = integer_at(at + 5);
		if (bus > 0 && name == NAME('_', 'B', 'B', 'N') && told->root_count < 16) {
			told->roots[told->root_count] = bus;
			told->root_cells[told->root_count++] = NO_CELL;
		}
		if (bus > 0 && name == NAME('_', 'P', 'X', 'M') && told->root_count)
			told->root_cells[told->root_count - 1] = integer_at(at + 5);
	}
}

void read_firmware(struct firmware *told)
{
	u32 pointer = find_pointer(), list, end;

	if (!pointer)
		return;
	list = mem32(pointer + 16);
	end = list + mem32(list + 4);
	for (u32 at = list + 36; at < end; at += 4) {
		u32 table = mem32(at);

		switch (name_at(table)) {
		case NAME('F', 'A', 'C', 'P'):
			told->power_event = mem32(table + 56);
			told->power_control = mem32(table + 64);
			read_bridges(told, mem32(table + 40));
			break;
		case NAME('A', 'P', 'I', 'C'):
			read_cpus(told, table);
			break;
		case NAME('S', 'R', 'A', 'T'):
			read_cells(told, table);
		}
	}
}

int cell_of_bus(const struct firmware *told, u8 bus)
{
	int nearest = -1;

	for (int i = 0; i < told->root_count; i++)
		if (told->roots[i] <= bus &&
		    (nearest < 0 || told->roots[i] > told->roots[nearest]))
			nearest = i;
	return nearest < 0 ? NO_CELL : told->root_cells[nearest];
}
