"""The opcontrol program: what it prints, and requests from the service."""

import subprocess
import sys

from tests.support.fake_host import VMLINUX


def test_daemon_lines_then_profiler_running(opcontrol):
    assert opcontrol("--start", "--no-vmlinux") == 0
    assert opcontrol.out.splitlines() == [
        "Using default event: GLOBAL_POWER_EVENTS:100000:1:1:1",
        "Using 2.6+ OProfile kernel interface.",
        "Using log file /var/lib/oprofile/samples/oprofiled.log",
        "Daemon started.",
        "Profiler running.",
    ]


def test_domain_option_chooses_the_domain(opcontrol):
    opcontrol("--domain=web", "--no-vmlinux")
    assert (opcontrol.daemonrc("Domain-0"), len(opcontrol.daemonrc("web")) > 0) == ([], True)


def test_environment_chooses_the_domain(opcontrol, monkeypatch):
    monkeypatch.setenv("XENPROF_DOMAIN", "web")
    opcontrol("--no-vmlinux")
    assert len(opcontrol.daemonrc("web")) > 0


def test_list_events_prints_those_of_the_hosts_cpu(opcontrol):
    opcontrol("--list-events")
    assert (
        'oprofile: available events for CPU type "P4 / Xeon with 2 hyper-threads"' in opcontrol.out
    )


def test_recipe_of_the_talk_works_as_pasted(opcontrol):
    """Wrapped lines are joined with a blank, as a shell user would join them."""
    codes = [
        opcontrol("-shutdown"),
        opcontrol("--reset"),
        opcontrol(
            "--start-daemon", "--active-", "domains=0,1",
            "--vmlinux=/usr/lib/debug/lib/modules/2.6.18-", "8.el5xen/vmlinux",
            "--xen=/usr/lib/debug/boot/xen-syms-2.6.18-", "8.el5.debug", "-separate=all",
        ),
        opcontrol("--domain=web", "--reset"),
        opcontrol("--domain=web", "--start", "-", f"vmlinux={VMLINUX}"),
    ]  # fmt: skip
    counting = opcontrol.client.host.profiler.state
    for domain in ("web", "Domain-0"):
        codes += [opcontrol("--domain", domain, verb) for verb in ("--stop", "-shutdown")]
    assert (codes, counting, opcontrol.client.host.profiler.state) == ([0] * 9, "profiling", "idle")


def test_program_starts_without_heavy_libraries():
    code = "import sys, xenprof.cli.opcontrol; print(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pydantic", "starlette", "click", "rich", "prometheus_client"}
    assert heavy & set(found.stdout.split()) == set()
