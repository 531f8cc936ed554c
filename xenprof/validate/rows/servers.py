"""Rows 6, 16, 21 and 30: databases and web servers, under Xen, under elevators, side by side."""

from typing import Final

from hypervisor.domain0 import DOMAIN_0
from xenprof.validate.figure import Experiment, Figure
from xenprof.validate.hosts import (
    SECOND,
    Table,
    Window,
    boot,
    guest,
    in_slices,
    work,
)

_RH: Final = "D. J. Shakshober, Red Hat Summit 2007"
_BARHAM: Final = "Barham et al., SOSP 2003, figure 5"

# Row 6.

# The talk's host for databases: four processors, storage by Fibre Channel.
_ORACLE_HOST: Final = {
    "cpu": "p4-ht",
    "mhz": 3000,
    "sockets": 2,
    "cores_per_socket": 1,
    "threads_per_core": 2,
}
_ELEVATORS: Final = ("noop", "deadline", "cfq")


def elevators(engine: str, guests: int, seed: int) -> tuple[float, ...]:
    """Return what a database loses under cfq and deadline, and how much more under cfq.

    In percent of what it does where requests go to the array in the order in which they come.
    """
    none, deadline, cfq = (_transactions(name, engine, guests, seed) for name in _ELEVATORS)
    losses = (100 * (1 - cfq / none), 100 * (1 - deadline / none))
    return *losses, losses[0] - losses[1]


def _transactions(elevator: str, engine: str, guests: int, seed: int) -> float:
    load = work("oltp", engine=engine, clients=64, cache_mib=192)
    names = [f"g{number}" for number in range(guests)]
    host = _ORACLE_HOST | {"store": [{"name": "san", "kind": "fc", "elevator": elevator}]}
    guests_ = (
        guest(name, load, memory_mib=1024, disk=[f"phy:/dev/san/{name},xvda,w"]) for name in names
    )
    window = Window(boot(host, *guests_, seed=seed), 3 * SECOND, 10 * SECOND)
    return sum(window.per_second(name, "transactions") for name in names)


# Row 16.

# The host of the paper, with the network card and the disk of this model's hosts. Linux 2.4.21 has
# no elevator with a queue for each reader, and Xen 1.2 none but its own.
_ONE_XEON: Final = {
    "cpu": "p4",
    "mhz": 2400,
    "sockets": 1,
    "cores_per_socket": 1,
    "threads_per_core": 1,
    "arch": "i386",
}
_ELEVATOR: Final = "deadline"
_MEMORY_MIB: Final = 512
# OSDB has a database of 40 MB, which is in the cache. It retrieves information for one user, and
# runs transactions for ten.
_SMALL: Final = {"database_mib": 40, "cache_mib": 40}
_RETRIEVAL: Final = work("oltp", clients=1, read_only=True, **_SMALL)
_TRANSACTIONS: Final = work("oltp", clients=10, **_SMALL)
_PAGES: Final = work("web", clients=32)


def under_xen(load: Table, result: str, seed: int) -> tuple[float]:
    """Return what a guest does of what native Linux does on the same machine."""
    alone = boot(
        _ONE_XEON | {"hypervisor": "none"},
        seed=seed,
        domain0={"memory_mib": _MEMORY_MIB, "elevator": _ELEVATOR, "workload": [load]},
    )
    there = guest("g", load, memory_mib=_MEMORY_MIB, disk=["phy:/dev/g,xvda,w"])
    host = boot(_ONE_XEON, there, seed=seed, domain0={"elevator": _ELEVATOR})
    native, xen = (
        Window(one, SECOND, _LONG_NS[result]).per_second(name, result)
        for one, name in ((alone, DOMAIN_0), (host, "g"))
    )
    return (xen / native,)


# Transactions that wait for a disk vary more than requests that wait for a processor.
_LONG_NS: Final = {"transactions": 20 * SECOND, "requests": SECOND}

# Row 21.

# Xen 1.2 scheduled by BVT, which lets a domain run for 5 ms before it looks at others.
_SLICE_MS: Final = 5
_XEON_2003: Final = {"cpu": "p4", "mhz": 2400, "cores_per_socket": 1, "threads_per_core": 1}


def databases(count: int, seed: int) -> tuple[float]:
    """Return what as many guests with a database do on two pcpus, of what one does alone."""
    alone, together = (
        in_slices(
            _XEON_2003, _RETRIEVAL, "transactions", seed,
            count=one, slice_ms=_SLICE_MS, memory_mib=128,
        )
        for one in (1, count)
    )  # fmt: skip
    return (2 * together / alone,)


# Row 30.

# The host of the experiments that are cited: an HP x4000 with one 1.7 GHz Xeon and 100 Mb/s.
_X4000: Final = {
    "cpu": "p4",
    "mhz": 1700,
    "sockets": 1,
    "cores_per_socket": 1,
    "threads_per_core": 1,
}
_CARD: Final = {"name": "peth0", "bridge": "xenbr0", "speed_mbit": 100}


def served(file_bytes: int, seed: int) -> tuple[float]:
    """Return what domain 0 has of the processor that it shares with a busy web server."""
    load = work("web", clients=32, file_bytes=file_bytes)
    host = boot(_X4000, guest("g", load), nics=[_CARD], seed=seed)
    return (Window(host, SECOND, SECOND).share(DOMAIN_0),)


_LARGE_FILES: Final = (
    "Xen 2.0, whose guests summed every packet and whose domain 0 took more for each: here the "
    "line of 100 Mb/s is full before the processor is, as it must have been there"
)

_FAULTS: Final = (
    "what PostgreSQL does beside its queries: the paper has it cross between protection domains "
    "often, and here a database that only reads its own cache hardly enters the kernel"
)
_DRIVERS: Final = (
    "drivers in the hypervisor, as Xen 1 had them (row 20): here packets go through domain 0, "
    "which has a third of the processor"
)

EXPERIMENTS: Final = (
    *(
        Experiment(
            6,
            elevators,
            (
                Figure(f"loss of {load} under cfq", "%", (0, 25), -1, 25, "predicted", _RH),
                Figure(f"loss of {load} under deadline", "%", (0, 3), None, 3, "predicted", _RH),
                Figure(
                    f"{load}: what cfq loses more", "points", (0, None), -1, None, "predicted", _RH
                ),
            ),
            (engine, guests),
        )
        for load, engine, guests in (
            ("Oracle-like OLTP in a guest", "oracle", 1),
            ("Oracle-like OLTP in two guests", "oracle", 2),
            ("Sybase-like OLTP in a guest", "sybase", 1),
        )
    ),
    *(
        Experiment(
            16,
            under_xen,
            (
                Figure(
                    f"{what}, of native Linux",
                    "ratio",
                    published,
                    published - 0.03,
                    published + 0.03,
                    "predicted",
                    f"Barham et al., SOSP 2003, figure 3 ({benchmark})",
                    missing,
                ),
            ),
            (load, result),
        )
        for what, benchmark, published, load, result, missing in (
            ("a database that is read", "OSDB-IR", 0.919, _RETRIEVAL, "transactions", _FAULTS),
            ("a database with changes", "OSDB-OLTP", 0.953, _TRANSACTIONS, "transactions", ""),
            ("a web server", "SPECweb99", 0.992, _PAGES, "requests", _DRIVERS),
        )
    ),
    *(
        Experiment(
            21,
            databases,
            (
                Figure(
                    f"work of {count} databases on two pcpus, of that of one",
                    "times",
                    published,
                    published * 0.92,
                    published * 1.08,
                    "predicted",
                    _BARHAM,
                ),
            ),
            (count,),
        )
        for count, published in ((4, 1.83), (8, 1.78))
    ),
    *(
        Experiment(
            30,
            served,
            (
                Figure(
                    f"domain 0's part of a processor shared with a web server, {size} KiB",
                    "%",
                    (20, 45),
                    20,
                    45,
                    "predicted",
                    "Gupta et al., Middleware 2006, of Cherkasova and Gardner, USENIX 2005",
                    missing,
                ),
            ),
            (size * 1024,),
        )
        for size, missing in ((1, ""), (10, ""), (70, _LARGE_FILES))
    ),
)
