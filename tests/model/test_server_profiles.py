"""What profiles of databases, chat servers and web servers show: modes, functions, domain 0.

Shares are those of the literature, of Linux alone where they say so; which functions lead in each
layer follows from what the paths of split drivers are.
"""

from collections import Counter

import pytest

from tests.support.model.hosts import SECOND, behalf_ns, domain, make_host, seen
from tests.support.model.profiling import begin, end, set_counter

LOADS = {
    "web": ({"kind": "web"}, "httpd"),
    "oracle": ({"kind": "oltp", "database_mib": 64, "cache_mib": 64}, "oracle"),
    "retrieval": (
        {"kind": "oltp", "database_mib": 64, "cache_mib": 64, "read_only": True}, "oracle",
    ),
    "sybase": ({"kind": "oltp", "engine": "sybase", "database_mib": 64}, "dataserver"),
    "java": ({"kind": "java"}, "java"),
}  # fmt: skip


class Profile:
    """Samples of a guest and of domain 0 by function, and the host they are from."""

    def __init__(self, load):
        workload, program = LOADS[load]
        guest = domain("a", workload, memory_mib=256, cpus="1")
        self.host = make_host(guest, domain0={"cpus": "0"})
        set_counter(self.host, count=100_000)
        begin(self.host, (0, 1))
        self.host.advance(SECOND)
        batches = end(self.host, (0, 1))
        self.of_guest = self._functions(batches[1], program)
        self.of_domain0 = self._functions(batches[0], "python")

    def _functions(self, batch, program):
        images = self.host.code.images
        places = [
            (symbol.address, symbol.address + symbol.size, image.path.rpartition("/")[2], name)
            for key, image in images.items()
            if image.kind != "program" or key == program
            for name, symbol in image.symbols.items()
        ]
        found = Counter()
        for pc, count in Counter(batch.pc.tolist()).items():
            for first, end_, image, name in places:
                if first <= pc < end_:
                    found[image, name] += count
                    break
        total = sum(found.values())
        return {function: count / total for function, count in found.most_common()}

    def image(self, name):
        return sum(part for (image, _), part in self.of_guest.items() if image == name)

    @property
    def system_share(self):
        """Return the kernel's part of what Linux spends."""
        spent = seen(self.host, "a")
        assert spent.user_ns is not None and spent.kernel_ns is not None
        return spent.kernel_ns / (spent.user_ns + spent.kernel_ns)


@pytest.fixture(scope="module", params=list(LOADS))
def profile(request):
    return request.param, Profile(request.param)


SYSTEM = {
    "web": (0.3, 0.6),
    "oracle": (0.05, 0.25),
    "retrieval": (0.02, 0.15),
    "sybase": (0.03, 0.25),
    "java": (0.4, 0.6),
}


def test_the_kernel_has_its_part(profile):
    load, seen_ = profile
    least, most = SYSTEM[load]
    assert least < seen_.system_share < most


LEADING = {
    "web": {("httpd", "ap_directory_walk"), ("xen-syms-2.6.18-8.el5.debug", "syscall_enter")},
    "oracle": {("oracle", "kcbgtcr")},
    "retrieval": {("oracle", "kcbgtcr"), ("oracle", "kdifxs")},
    "sybase": {("dataserver", "upyield")},
    "java": {("java", "compiled_code"), ("vmlinux", "schedule")},
}


def test_the_functions_that_lead_are_those_that_such_a_program_is_known_for(profile):
    load, seen_ = profile
    assert LEADING[load] <= set(list(seen_.of_guest)[:12])


def test_no_function_of_a_server_stands_out_but_what_was_compiled(profile):
    load, seen_ = profile
    most = max(part for (image, _), part in seen_.of_guest.items() if image != "java")
    assert most < (0.6 if load == "sybase" else 0.2)  # engines that look for work


def test_drivers_show_where_there_is_io(profile):
    load, seen_ = profile
    expected = {"web": {"xennet.ko"}, "oracle": {"xenblk.ko"}, "sybase": {"xenblk.ko"}}
    images = {image for image, _ in seen_.of_guest}
    assert images & {"xennet.ko", "xenblk.ko"} == expected.get(load, set())


def test_domain_0_works_for_the_guest_where_there_is_io(profile):
    load, seen_ = profile
    part = behalf_ns(seen_.host).get("a", 0) / SECOND
    least, most = {"web": (0.2, 0.6), "oracle": (0.001, 0.1), "sybase": (0.001, 0.1)}.get(
        load, (0, 0.0001)
    )
    assert least <= part <= most


def test_domain_0_of_a_web_server_is_busy_with_its_bridge_and_netback():
    images = Counter()
    for (image, _), part in Profile("web").of_domain0.items():
        images[image] += part
    assert {"netbk.ko", "bridge.ko", "e1000.ko"} <= set(images)
    leading = images.most_common(2)
    assert {name for name, _ in leading} == {"vmlinux", "xen-syms-2.6.18-8.el5.debug"}
