/* Ports, the serial line, and words of memory: what the payload stands on. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

static inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline void out16(u16 port, u16 value) { asm volatile("outw %0, %1" ::"a"(value), "Nd"(port)); }
static inline void out32(u16 port, u32 value) { asm volatile("outl %0, %1" ::"a"(value), "Nd"(port)); }

static inline u8 in8(u16 port)
{
	u8 value;
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u16 in16(u16 port)
{
	u16 value;
	asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u32 in32(u16 port)
{
	u32 value;
	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* Memory that is no variable of ours: a table of the firmware's, or a device's. */
static inline u8 mem8(u32 at) { return *(volatile u8 *)at; }
static inline u16 mem16(u32 at) { return *(volatile u16 *)at; }
static inline u32 mem32(u32 at) { return *(volatile u32 *)at; }

void start_serial(void);

/* Print: %s is text, %d a number, %4 a hexadecimal number of four digits. */
void print(const char *format, ...);
