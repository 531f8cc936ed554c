"""The event tables of all CPU types that have one."""

from xenprof import events

TABLES = ("i386/p4", "i386/p4-ht", "i386/core_2", "x86-64/hammer")
ALL_EVENTS = [(cpu, event) for cpu in TABLES for event in events.events(cpu).values()]
