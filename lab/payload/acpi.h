/* What the firmware tells of cells: CPUs, memory, and which bus is on which. */
#pragma once

#include "machine.h"

#define MOST_CELLS 8
#define NO_CELL (-1)

struct cell {
	u32 cpus;
	u32 memory_kib;
};

struct firmware {
	struct cell cells[MOST_CELLS];
	int cell_count;	 /* 0: the firmware tells of none */
	u32 cpus;
	u16 power_event; /* ports of power management */
	u16 power_control;
	/* Root buses beside bus 0, and the cell of each. */
	int root_count;
	u8 roots[16];
	int root_cells[16];
};

void read_firmware(struct firmware *told);

/* Return the cell of the root bus that a bus is behind. */
int cell_of_bus(const struct firmware *told, u8 bus);
