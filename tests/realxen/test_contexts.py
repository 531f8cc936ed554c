"""Guests sampled by their registers on a real Xen."""

from tests.realxen.machine import Machine
from tests.realxen.tracedguests import AGENT, guests
from tests.support.importing import by_symbol, imported, profile
from xenprof.profile.stacks import Layer


def test_guests_that_compute_are_profiled(xen: Machine, tmp_path):
    with guests(xen):
        told = xen.run(f"cd {AGENT}; python3 -m hypervisor.live.agent.contextfile /tmp/c.txt 2>&1")
        content = xen.get("/tmp/c.txt")
    file = tmp_path / "contexts.txt"
    file.write_bytes(content)
    imported("contexts", file, tmp_path / "out")
    found = by_symbol(profile(tmp_path / "out"))
    samples = {
        name: sum(count for key, count in found.items() if key[0] == name)
        for name in ("web", "db", "batch")
    }

    assert "each sample pauses a vcpu for a moment, which disturbs scheduling" in told
    assert all(samples.values())
    assert samples["batch"] < samples["db"]
    assert {str(Layer.USER), str(Layer.KERNEL)} >= {key[1] for key in found}
