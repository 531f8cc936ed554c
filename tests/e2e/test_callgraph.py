"""Call stacks from end to end: recorded in the model, in files, in opreport and in a report."""

import json
from pathlib import Path

import pytest

from xenprof.cli import opreport
from xenprof.cli.main import main
from xenprof.home import domain_root
from xenprof.store.sessiondir import read_profile
from xenprof.store.stackfile import read_stacks

SCENARIO = """
[host]
name = "net"
sockets = 1
cores_per_socket = 2
threads_per_core = 1
cpu = "p4"
memory_mib = 1024

[domain0]
vcpus = 1
memory_mib = 256

[[domain]]
name = "sends"
memory_mib = 128
vif = ["bridge=xenbr0"]

  [[domain.workload]]
  kind = "netperf"
  direction = "transmit"
  rate_bits_per_second = 100000000

[[domain]]
name = "gets"
memory_mib = 128
vif = ["bridge=xenbr0"]

  [[domain.workload]]
  kind = "netperf"
  direction = "receive"
  rate_bits_per_second = 100000000
"""
NAMES = ("Domain-0", "sends", "gets")


def run(home: Path, *options: str) -> Path:
    """Profile the host for two seconds, all domains active."""
    home.mkdir(exist_ok=True)
    (home / "net.toml").write_text(SCENARIO)
    arguments = ["run", "--scenario", str(home / "net.toml"), "--for", "2s", "--state-dir",
                 str(home), "--profile", "GLOBAL_POWER_EVENTS:90000", "--active", "0,1,2"]  # fmt: skip
    assert main([*arguments, *options]) == 0
    return home


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return run(tmp_path_factory.mktemp("deep"), "--callgraph", "40")


def session(home, name):
    return domain_root(home, name) / "var/lib/oprofile/samples/current"


def files(home, name):
    return read_profile(Path("/"), str(session(home, name))).files


def functions(stack, profile):
    return [(profile.frames[step].domain, profile.frames[step].symbol) for step in stack]


@pytest.mark.parametrize("name", NAMES)
def test_stacks_hold_the_samples_of_the_sample_files(home, name):
    found = read_stacks(session(home, name))
    assert found is not None
    plain = sum(file.total for file in files(home, name) if file.key.callee is None)
    assert (plain,) == found.totals
    assert plain > 100


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_has_a_symbol(home, name):
    found = read_stacks(session(home, name))
    assert found is not None
    assert [] == [frame for frame in found.frames if not frame.symbol]


@pytest.mark.parametrize("name", NAMES)
def test_arcs_are_what_the_stacks_say(home, name):
    """Each caller in a sample's own mode and domain is one arc."""
    found = read_stacks(session(home, name))
    assert found is not None
    expected = 0
    for stack, (samples,) in zip(found.stacks, found.values.tolist(), strict=True):
        frames = [found.frames[step] for step in stack]
        callers = 0
        for frame in reversed(frames[:-1]):
            if (frame.domain, frame.layer) != (frames[-1].domain, frames[-1].layer):
                break
            callers += 1
        expected += callers * samples
    arcs = sum(file.total for file in files(home, name) if file.key.callee is not None)
    assert expected == arcs > 500


def test_opreport_shows_callers_and_callees(home, capsys, monkeypatch):
    monkeypatch.setenv("XENPROF_HOME", str(home))
    assert opreport.main(["-c", "--domain", "gets"]) == 0
    blocks = capsys.readouterr().out.split("-" * 79)
    block = next(b for b in blocks if "tcp_v4_rcv [self]" in b)
    lines = [line.split() for line in block.strip("\n").splitlines()]
    assert "ip_local_deliver" == lines[0][-1]
    assert "tcp_v4_rcv" == lines[1][-1]
    assert "tcp_v4_do_rcv" in [line[-1] for line in lines[2:]]
    arcs_in = int(lines[0][0])
    assert arcs_in == sum(int(line[0]) for line in lines[2:])


def joined(home, name):
    found = read_stacks(session(home, name))
    assert found is not None
    return [functions(stack, found) for stack in found.stacks]


def test_a_guests_sending_goes_on_in_domain_0_in_one_stack(home):
    stacks = [
        stack for stack in joined(home, "Domain-0")
        if stack[0] == ("sends", "main") and ("Domain-0", "net_tx_action") in stack
    ]  # fmt: skip
    domains = [[domain for domain, _ in stack] for stack in stacks]
    assert len(stacks) > 20
    for order in domains:  # the guest's part first, then domain 0's
        assert order == sorted(order, key=["sends", "Domain-0"].index)
    assert any(("sends", "evtchn_send") in stack for stack in stacks)


def test_what_a_guest_receives_begins_at_domain_0s_card(home):
    stacks = [stack for stack in joined(home, "gets") if ("gets", "netif_poll") in stack]
    assert len(stacks) > 10
    assert {("Domain-0", "hypervisor_callback")} == {stack[0] for stack in stacks}


def test_a_report_has_one_tree_of_all_domains(home, capsys):
    assert main(["report", "--state-dir", str(home), "--format", "folded"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("{sends};" in line and "{Domain-0};" in line and "net_tx_action" in line
               for line in lines)  # fmt: skip


def test_a_report_by_place_has_a_domains_time_in_its_own_bar(home, capsys):
    told = {}
    for joined in ("cause", "place"):
        assert main(["report", "--state-dir", str(home), "--by", "domain", "--format", "csv",
                     "--joined", joined]) == 0  # fmt: skip
        rows = [line.split(",") for line in capsys.readouterr().out.splitlines()[1:]]
        told[joined] = {name: (int(own), int(total)) for name, own, total in rows}
    assert all(own == total for own, total in told["place"].values())
    assert any(own < total for own, total in told["cause"].values())
    assert {name: own for name, (own, _) in told["cause"].items()} == {
        name: own for name, (own, _) in told["place"].items()
    }


def test_a_stack_by_place_tells_on_whose_behalf_it_ran(home, capsys):
    assert (
        main(["report", "--state-dir", str(home), "--format", "folded", "--joined", "place"]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("{Domain-0};[for sends];") and "net_tx_action" in line
               for line in lines)  # fmt: skip
    assert [] == [line for line in lines if line.count("{") > 1]


def tree(home, name):
    """Return the bytes of a session's files, without call graphs, times and stacks."""
    top = session(home, name)
    return {
        str(path.relative_to(top)): path.read_bytes()
        for path in sorted(top.rglob("*"))
        if path.is_file()
    }


def test_the_same_run_gives_the_same_bytes(home, tmp_path):
    again = run(tmp_path / "again", "--callgraph", "40")
    for name in NAMES:
        assert tree(home, name) == tree(again, name)


def test_without_call_graphs_there_are_none(tmp_path):
    plain = run(tmp_path / "plain")
    for name in NAMES:
        assert [] == [path for path in tree(plain, name) if "{cg}" in path or "stacks" in path]


def test_recording_stacks_makes_profiling_dearer(home, tmp_path, capsys):
    seconds = []
    for options in ((), ("--callgraph", "40")):
        capsys.readouterr()
        run(tmp_path / f"cost{len(options)}", "--json", *options)
        result = json.loads(capsys.readouterr().out)
        seconds.append(sum(domain["cpu_seconds"] for domain in result["domains"]))
    assert seconds[0] < seconds[1] < 1.2 * seconds[0]


def test_counts_must_be_fifteen_times_larger(tmp_path, capsys):
    code = main(["run", "--for", "1s", "--profile", "GLOBAL_POWER_EVENTS:80000", "--callgraph", "4",
                 "--state-dir", str(tmp_path)])  # fmt: skip
    message = "Count 80000 for event GLOBAL_POWER_EVENTS is below the minimum 90000"
    assert (1, True) == (code, message in capsys.readouterr().err)


def test_a_call_graph_of_nothing_is_refused(tmp_path, capsys):
    assert 1 == main(["run", "--for", "1s", "--callgraph", "4"])
    assert "which event?" in capsys.readouterr().err


# -- With a service


def test_opcontrol_remembers_the_depth_and_shows_it(xenprof):
    assert xenprof("opcontrol", "--no-vmlinux", "--callgraph=7").returncode == 0
    assert "Call-graph depth: 7" in xenprof("opcontrol", "--status").stdout
    assert xenprof("opcontrol", "--callgraph=0").returncode == 0
    assert "Call-graph depth: 0" in xenprof("opcontrol", "--status").stdout


def test_a_profile_with_call_graph_has_arcs_to_report(xenprof):
    done = xenprof("profile", "--for", "500ms", "--active", "0,busy", "--event",
                   "GLOBAL_POWER_EVENTS:100000:1", "--callgraph", "16")  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = xenprof("opreport", "-c", "--domain", "busy", "--merge=all")
    assert "dgemm [self]" in report.stdout
    assert "dgefa" in report.stdout


def test_the_next_profile_without_has_none(xenprof):
    done = xenprof("profile", "--for", "300ms", "--event", "GLOBAL_POWER_EVENTS:100000:1")
    assert done.returncode == 0, done.stderr
    assert "Call-graph depth: 0" in xenprof("opcontrol", "--status").stdout
