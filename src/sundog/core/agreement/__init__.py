"""Whether the records of a host agree: guests, claims, allocations, devices."""
