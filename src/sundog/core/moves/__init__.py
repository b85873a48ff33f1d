"""Moves of servers between hosts and flavors: their record, and what they hold."""
