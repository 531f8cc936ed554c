"""Samples that a real Xen took, from the hypervisor's buffers through the driver to a report.

Of the capture this uses the samples of counter 0; here a made up hypervisor takes them again.
"""

import gzip
import re
from collections import Counter
from typing import NamedTuple

import pytest

from hypervisor.live.agent.recording.xenoprof import Wanted, sampled
from tests.support.importing import imported, profile, run
from tests.support.live.fakes import FakeClock, FakeStore
from tests.support.live.machine import Domain, Machine
from tests.support.live.profiled import ProfiledHost, guest
from tests.support.paths import TESTS
from xenprof.cli import opreport
from xenprof.store.losses import session_losses

CAPTURE = TESTS / "fixtures" / "xenoprof"
SYMBOLS = (
    "--kallsyms", CAPTURE / "kallsyms.txt.gz", "--xen-syms", CAPTURE / "xen-syms.map.gz",
)  # fmt: skip
NAMES = {"/local/domain/0/name": "Domain-0", "/local/domain/1/name": "web"}
LAYERS = {"user": "user", "kernel": "kernel", "hypervisor": "xen"}


class Session(NamedTuple):
    """What the hypervisor has sampled, and the archives that it has become."""

    taken: int
    archives: object
    told: str


def driven(folder, samples_a_look, times=1):
    """Have the captured samples taken some times, so many between two looks at the buffers."""
    host = ProfiledHost(Machine([Domain(0), guest(1, vcpus=1)]))
    clock = FakeClock()
    lines = gzip.decompress((CAPTURE / "session2-samples.txt.gz").read_bytes()).decode()
    rows = [line.split() for line in lines.splitlines() if not line.startswith("#")]
    waiting = [row for row in rows if row[3] == "0"] * times
    taken = len(waiting)

    def wait(seconds):
        for domid, vcpu, mode, _, pc in waiting[:samples_a_look]:
            host.xenoprof.sample(int(domid), int(vcpu), int(pc, 16), int(mode))
        del waiting[:samples_a_look]
        clock.now += round(seconds * 1e9)
        return not waiting

    wanted = Wanted(seconds=1000.0)
    _, text = sampled(host.privcmd, FakeStore(dict(NAMES)), clock, wanted, wait, lambda line: None)
    file = folder / "profile.txt"
    file.write_text(text)
    told = imported("xenoprof", file, folder / "archives", *SYMBOLS)
    return Session(taken, folder / "archives", told)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return driven(tmp_path_factory.mktemp("driven"), samples_a_look=100)


@pytest.fixture(scope="module")
def overrun(tmp_path_factory):
    """Return a session of one look, where the only vcpu of each domain has room for 8188."""
    return driven(tmp_path_factory.mktemp("overrun"), samples_a_look=100_000, times=5)


def opreport_total(archive):
    code, out, _ = run(opreport.main, f"archive:{archive}", "-l", "-n")
    assert 0 == code
    return sum(int(line.split()[0]) for line in out.splitlines())


def test_totals_of_opreport_are_what_the_hypervisor_has_taken(session):
    totals = [opreport_total(session.archives / name) for name in ("Domain-0", "web")]

    assert session.taken == sum(totals)
    assert f"{session.taken} samples = {session.taken} stored" in session.told


def test_functions_have_the_samples_that_another_program_has_counted(session):
    wanted: Counter[tuple[str, str]] = Counter()
    text = gzip.decompress((CAPTURE / "session2-symbolised.txt.gz").read_bytes()).decode()
    for line in text.splitlines():
        if match := re.match(r" *(\d+) +[\d.]+% +dom0 (kernel|xen) +(\S+)", line):
            symbol = match[3].rpartition("#")[2]
            wanted[match[2], symbol] += int(match[1])
    found: Counter[tuple[str, str]] = Counter()
    of = profile(session.archives)
    for stack, values in zip(of.stacks, of.values.tolist(), strict=True):
        frame = of.frames[stack[-1]]
        if frame.domain == "Domain-0" and str(frame.layer) != "user":
            found[LAYERS[str(frame.layer)], frame.symbol] += values[0]

    # Xen's system call stubs lie beyond its code: the other program gave them to its last symbol.
    del wanted["xen", "__2M_rwdata_end"]
    assert {key: count for key, count in wanted.items() if key in found} == {
        key: found[key] for key in wanted if key in found
    }
    assert 0.95 * wanted.total() < sum(found[key] for key in wanted)


def test_what_full_buffers_have_lost_is_told_and_everything_adds_up(overrun):
    totals = {name: opreport_total(overrun.archives / name) for name in ("Domain-0", "web")}
    session = overrun.archives / "web/var/lib/oprofile/samples/current"
    lost = session_losses(session, {})
    _, _, warned = run(opreport.main, f"archive:{overrun.archives / 'web'}", "-l")

    assert 8188 == totals["web"]
    assert {"ring_full": overrun.taken - sum(totals.values())} == lost
    assert f"lost before, as the file tells: {lost['ring_full']} samples" in overrun.told
    assert "WARNING! The OProfile kernel driver reports sample buffer overflows." in warned
