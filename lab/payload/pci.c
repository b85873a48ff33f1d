/* Configuration space through ports 0xcf8 and 0xcfc, bus by bus behind each bridge. */
#include "pci.h"

#define COMMAND 0x04
#define BAR0 0x10
#define CLASS_DISPLAY_3D 0x030200
#define SLICE 0x5d061234
#define IGB_VF 0x10ca8086
#define MOST_SLOTS 32

/* Of the capability of PCI Express, at these places from its begin. */
#define SLOT_CONTROL 0x18
#define SLOT_STATUS 0x1a
#define CONTROL_OFF (1 << 10 | 3 << 8) /* power and its lamp */
#define CONTROL_ON (1 << 8)
#define STATUS_BUTTON 1
#define STATUS_PRESENT (1 << 6)

struct slot {
	u32 port; /* its function, as an address in configuration space */
	u8 capability;
	u8 bus;
};

static struct slot slots[MOST_SLOTS];
static int slot_count;

static u32 address(u8 bus, u8 place, u8 function)
{
	return 0x80000000u | bus << 16 | place << 11 | function << 8;
}

static u32 read(u32 function, u8 at)
{
	out32(0xcf8, function | (at & 0xfc));
	return in32(0xcfc);
}

static u16 read16(u32 function, u8 at)
{
	return read(function, at) >> 8 * (at & 2);
}

static void write(u32 function, u8 at, u32 value)
{
	out32(0xcf8, function | at);
	out32(0xcfc, value);
}

static void write16(u32 function, u8 at, u16 value)
{
	out32(0xcf8, function | (at & 0xfc));
	out16(0xcfc + (at & 2), value);
}

static u8 find_capability(u32 function, u8 id)
{
	if (!(read(function, COMMAND) >> 16 & 0x10))
		return 0;
	for (u8 at = read(function, 0x34) & 0xfc; at; at = read(function, at) >> 8 & 0xfc)
		if ((read(function, at) & 0xff) == id)
			return at;
	return 0;
}

static u32 open_bar(u32 function)
{
	write16(function, COMMAND, read16(function, COMMAND) | 6);
	return read(function, BAR0) & ~15u;
}

static void tell_slice(u32 bar)
{
	print(" uuid=%s type=%s", (const char *)bar + 0x20, (const char *)bar + 0x10);
	print(" mib=%d host-node=%d", mem32(bar + 4), (int)mem32(bar + 8));
	print(" host-address=%4:%2:%2.%d", mem16(bar + 14), mem8(bar + 13),
	      mem8(bar + 12) >> 3, mem8(bar + 12) & 7);
	*(volatile u32 *)(bar + 0x100) = 0x600dcafe;
	print(" memory=%s", mem32(bar + 0x100) == 0x600dcafe ? "ok" : "bad");
}

static void tell_function(const struct firmware *told, u8 bus, u8 place, u8 function)
{
	u32 at = address(bus, place, function), id = read(at, 0);

	print("guest: pci %2:%2.%d id=%4:%4 class=%6 cell=%d", bus, place, function,
	      id & 0xffff, id >> 16, read(at, 8) >> 8, cell_of_bus(told, bus));
	if (id == SLICE)
		tell_slice(open_bar(at));
	else if (id == IGB_VF)
		/* The status of its link and of the function, not all ones. */
		print(" status=%8", mem32(open_bar(at) + 8));
	print("\n");
}

static void tell_bus(const struct firmware *told, u8 bus);

static void pass_bridge(const struct firmware *told, u32 bridge)
{
	u8 below = read(bridge, 0x18) >> 8, capability = find_capability(bridge, 0x10);
	int has_slot = capability && read(bridge, capability) >> 24 & 1;

	if (has_slot && slot_count < MOST_SLOTS)
		slots[slot_count++] = (struct slot){ bridge, capability, below };
	tell_bus(told, below);
}

static void tell_bus(const struct firmware *told, u8 bus)
{
	for (u8 place = 0; place < 32; place++) {
		u32 at = address(bus, place, 0);
		u8 functions;

		if ((read(at, 0) & 0xffff) == 0xffff)
			continue;
		functions = read(at, 0x0c) >> 16 & 0x80 ? 8 : 1;
		for (u8 function = 0; function < functions; function++) {
			at = address(bus, place, function);
			if ((read(at, 0) & 0xffff) == 0xffff)
				continue;
			if ((read(at, 0x0c) >> 16 & 0x7f) == 1)
				pass_bridge(told, at);
			else
				tell_function(told, bus, place, function);
		}
	}
}

void tell_functions(const struct firmware *told)
{
	tell_bus(told, 0);
	for (int i = 0; i < told->root_count; i++)
		tell_bus(told, told->roots[i]);
}

/* A function that came later has no address yet: it gets the begin of the window. */
static void place_bar(const struct slot *slot, u32 function)
{
	u32 begin = (read(slot->port, 0x20) & 0xfff0) << 16;

	write(function, BAR0, begin);
	if ((read(function, BAR0) & 6) == 4)
		write(function, BAR0 + 4, 0);
	write16(slot->port, COMMAND, read16(slot->port, COMMAND) | 6);
}

void serve_slots(const struct firmware *told)
{
	for (int i = 0; i < slot_count; i++) {
		struct slot *slot = &slots[i];
		u8 control = slot->capability + SLOT_CONTROL;
		u16 status = read16(slot->port, slot->capability + SLOT_STATUS);
		int is_on = !(read16(slot->port, control) & 1 << 10);

		if (!(status & STATUS_BUTTON))
			continue;
		write16(slot->port, slot->capability + SLOT_STATUS, status);
		if (is_on && status & STATUS_PRESENT &&
		    (read(address(slot->bus, 0, 0), 0) & 0xffff) != 0xffff &&
		    read(address(slot->bus, 0, 0), BAR0) & ~15u) {
			write16(slot->port, control, CONTROL_OFF);
			print("guest: unplugged %2:00.0\n", slot->bus);
			continue;
		}
		write16(slot->port, control, CONTROL_ON);
		if ((read(address(slot->bus, 0, 0), 0) & 0xffff) == 0xffff)
			continue;
		place_bar(slot, address(slot->bus, 0, 0));
		print("guest: plugged %2:00.0\n", slot->bus);
		tell_function(told, slot->bus, 0, 0);
	}
}
