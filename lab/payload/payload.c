/* A guest that tells on its serial line what it sees, and then waits to be ended. */
#include "pci.h"

#define POWER_BUTTON (1 << 8)
#define SLEEP_NOW (1 << 13)	/* QEMU's type for power off is 0 */

extern void tick(void);

struct gate {
	u16 low, segment, kind, high;
};

static struct gate gates[33];
static struct firmware told;

/* 18 times a second the timer ends a halt, and nothing else does. */
static void start_timer(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) where = { sizeof(gates) - 1, (u32)gates };
	u32 handler = (u32)tick;

	gates[32] = (struct gate){ handler, 0x08, 0x8e00, handler >> 16 };
	out8(0x20, 0x11);
	out8(0xa0, 0x11);
	out8(0x21, 0x20); /* interrupts from 32 on */
	out8(0xa1, 0x28);
	out8(0x21, 4);
	out8(0xa1, 2);
	out8(0x21, 1);
	out8(0xa1, 1);
	out8(0x21, 0xfe);
	out8(0xa1, 0xff);
	out8(0x43, 0x34);
	out8(0x40, 0);
	out8(0x40, 0);
	asm volatile("lidt %0; sti" ::"m"(where));
}

static void tell_cells(void)
{
	print("guest: up cpus=%d cells=%d\n", told.cpus, told.cell_count);
	for (int i = 0; i < told.cell_count; i++)
		print("guest: cell %d cpus=%d memory-mib=%d\n", i, told.cells[i].cpus,
		      /* What the BIOS's own memory is away, a part of a MiB. */
		      (told.cells[i].memory_kib + 1023) / 1024);
}

void payload(void)
{
	start_serial();
	read_firmware(&told);
	tell_cells();
	tell_functions(&told);
	print("guest: done\n");
	if (told.power_event)
		out16(told.power_event + 2, POWER_BUTTON);
	start_timer();
	for (;;) {
		asm volatile("hlt");
		serve_slots(&told);
		if (told.power_event && in16(told.power_event) & POWER_BUTTON) {
			print("guest: powers off\n");
			out16(told.power_control, SLEEP_NOW);
		}
	}
}
