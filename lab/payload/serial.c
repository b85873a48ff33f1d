/* The first serial line, on which the payload tells what it sees. */
#include "machine.h"
#include <stdarg.h>

#define COM1 0x3f8

static void put(char letter)
{
	while (!(in8(COM1 + 5) & 0x20))
		;
	out8(COM1, letter);
}

void start_serial(void)
{
	out8(COM1 + 3, 0x80); /* the divisor: 115200 baud */
	out8(COM1, 1);
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 3); /* 8 bits, and no interrupts */
	out8(COM1 + 1, 0);
}

static void put_number(u32 value)
{
	if (value > 9)
		put_number(value / 10);
	put('0' + value % 10);
}

static void put_hex(u32 value, int digits)
{
	while (digits--)
		put("0123456789abcdef"[value >> 4 * digits & 15]);
}

void print(const char *format, ...)
{
	va_list given;

	va_start(given, format);
	for (; *format; format++) {
		if (*format == '\n')
			put('\r');
		if (*format != '%') {
			put(*format);
			continue;
		}
		switch (*++format) {
		case 's':
			for (const char *text = va_arg(given, const char *); *text; text++)
				put(*text);
			break;
		case 'd': {
			int value = va_arg(given, int);
			if (value < 0)
				put('-');
			put_number(value < 0 ? -value : value);
			break;
		}
		default: {
			u32 value = va_arg(given, u32);
			put_hex(value, *format - '0');
		}
		}
	}
	va_end(given);
}
