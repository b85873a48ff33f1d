/* PCI functions: found, told of, and let come and go. */
#pragma once

#include "acpi.h"

void tell_functions(const struct firmware *told);

/* Power a slot up or down when its button was pressed, and tell it. */
void serve_slots(const struct firmware *told);
