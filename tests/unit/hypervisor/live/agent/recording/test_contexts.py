import os
import subprocess
import sys

import pytest

from hypervisor.live.agent.recording.contexts import main, names_of, sample_for
from hypervisor.live.agent.sampling.contexts import ContextSampler
from hypervisor.live.agent.xen.hypercalls import Xen
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fakes import FakeClock, FakeStore
from tests.support.live.machine import Domain, Machine, Vcpu
from tests.support.paths import ROOT

MS = 1_000_000


def sampled(seconds=1.0):
    """Return samples of a guest that spins, taken in a time that passes only by waiting."""
    vcpu = Vcpu(running=True, rip=0x42)
    machine = Machine([Domain(0), Domain(1, vcpus=[vcpu])])
    passed = [0.0]

    def wait(pause):
        passed[0] += pause
        vcpu.cpu_ns += round(pause * 1e9)
        return False

    sampler = ContextSampler(Xen(FakePrivcmd(machine)), FakeClock())
    return sample_for(sampler, seconds, wait, lambda: passed[0])


def test_guests_are_sampled_for_a_time():
    samples = sampled()

    assert 45 <= sum(samples.counts.values()) + samples.unplaced <= 50


def test_domains_have_the_names_that_xenstore_has():
    samples = sampled()
    ((domid, uuid),) = {place[:2] for place in samples.counts}

    assert {(domid, uuid): "web"} == names_of(samples, FakeStore({"/local/domain/1/name": "web"}))


@pytest.mark.parametrize(
    "options", [["--for", "nan"], ["--for", "-1"], ["--hertz", "0"], ["--hertz", "51"], ["-x"]]
)
def test_an_option_that_cannot_be_is_told_in_one_line(capsys, options):
    with pytest.raises(SystemExit) as ended:
        main(["a.txt", *options])

    assert (2, 1) == (ended.value.code, len(capsys.readouterr().err.splitlines()))


NAMED = """
import sys
from hypervisor.live.agent.recording import contexts
from hypervisor.live.agent.sampling.contexts import ContextSamples
from tests.support.live.fake_privcmd import FakePrivcmd
contexts.PrivcmdDevice = FakePrivcmd
contexts.names_of = lambda samples, store: {(1, "u"): "caf\\u00e9"}
sys.exit(contexts.main(["-", "--for", "0"]))
"""


def test_names_are_utf_8_in_any_locale():
    env = dict(os.environ, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONPATH=".")
    done = subprocess.run(
        [sys.executable, "-c", NAMED], cwd=ROOT, env=env, capture_output=True, check=True
    )

    assert "domain 1 u café" in done.stdout.decode().splitlines()


def test_without_a_real_xen_the_command_says_what_is_missing(capsys, tmp_path):
    code = main([str(tmp_path / "a.txt")])

    assert 2 == code
    assert capsys.readouterr().err.startswith("xenprof-agent: contexts: /dev/xen/privcmd: ")
