"""Users' errors and broken files, with real processes: one clear line, the original's exit
code, no traceback, and nothing else lost.
"""

import os
import subprocess

import pytest

from tests.support.e2e.host import VMLINUX, XEN, Host, shell

GUEST = "rhel5pvtest"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    host = Host(tmp_path_factory.mktemp("home"), "--speed", "max")
    yield host
    host.close()


def told(done):
    """Return (exit code, stderr lines)."""
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("xm pause nobody", "Error: Domain 'nobody' does not exist."),
        ("xm list nobody", "Error: Domain 'nobody' does not exist."),
        ("opcontrol --domain nobody --status", "Domain 'nobody' does not exist."),
        ("opreport --domain nobody", "opreport error: Domain 'nobody' does not exist."),
        ("xenprof profile --active 0,nobody", "xenprof: Domain 'nobody' does not exist."),
    ],
)
def test_an_unknown_domain(host, command, line):
    assert told(host.run(command)) == (1, [line])


def test_an_unknown_id(host):
    exit_code, (error, note) = told(host.run("xm destroy 17"))

    assert (exit_code, error) == (1, "Error: Domain '17' does not exist.")
    assert note.startswith("note: the domains that run are Domain-0 (0), ")


def test_names_where_ids_are_wanted(host):
    _, lines = told(host.run("opcontrol --start-daemon --no-vmlinux --active-domains=0,Domain-0"))

    assert lines[-1] == "note: the id of Domain-0 is 0"


@pytest.mark.parametrize(
    "command",
    [
        "opcontrol --event=NO_SUCH:100000",
        "xenprof run --for 10ms --profile NO_SUCH:100000",
    ],
)
def test_an_unknown_event(host, command):
    exit_code, lines = told(host.run(command))

    assert (exit_code, len(lines)) == (1, 1)
    assert 'No such event "NO_SUCH"' in lines[0]


@pytest.fixture
def misspelt(tmp_path):
    scenario = tmp_path / "mine.toml"
    scenario.write_text('[[domain]]\nname = "web"\nmemory_mb = 256\n')
    return scenario


SERVE = "serve --web.listen-address 127.0.0.1:0"


@pytest.mark.parametrize("command", ["run --for 10ms", SERVE, f"{SERVE} --background"])
def test_an_unknown_scenario_key(tmp_path, misspelt, command):
    exit_code, lines = told(shell(tmp_path / "home", f"xenprof {command} --scenario {misspelt}"))

    assert (exit_code, len(lines)) == (2, 1)
    assert str(misspelt) in lines[0]
    assert "memory_mb" in lines[0]


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """Return a HOME with samples in Domain-0 whose service has ended."""
    home = tmp_path_factory.mktemp("sampled")
    done = shell(
        home,
        "xenprof run --for 200ms --profile GLOBAL_POWER_EVENTS:100000:1 --active 0 "
        f"--state-dir {home}",
    )
    assert done.returncode == 0, done.stderr
    return home


def sample_file(home):
    current = home / "domains/Domain-0/var/lib/oprofile/samples/current"
    return next(path for path in sorted(current.rglob("GLOBAL_POWER_EVENTS*")) if path.is_file())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Can't read sample file header:"),
        (b"not a sample file", "Invalid sample file, bad magic number: "),
        (b"DAE\n" + b"\xff" * 4096, "samples files version mismatch: "),
    ],
)
def test_a_sample_file_that_is_none_hides_no_other(sampled, content, message):
    path = sample_file(sampled)
    before = path.read_bytes()
    path.write_bytes(content)
    done = shell(sampled, "opreport --merge all")
    path.write_bytes(before)

    exit_code, (_, warning, *notes) = told(done)  # the first line names the session directory
    assert (exit_code, [line for line in notes if not line.startswith("note: ")]) == (0, [])
    assert warning.startswith(f"warning: {message}{path}") and warning.endswith(": left out")


def test_a_home_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    exit_code, lines = told(shell(tmp_path / "file/home", "xenprof serve"))

    assert (exit_code, len(lines)) == (1, 1)
    assert str(tmp_path / "file/home") in lines[0]


def test_a_port_that_is_taken(host, tmp_path):
    address = host.url.removeprefix("http://").rstrip("/")
    exit_code, lines = told(shell(tmp_path, f"xenprof serve --web.listen-address {address}"))

    assert (exit_code, lines) == (
        1,
        [
            f"xenprof: cannot listen on {address}: Address already in use; "
            "choose another with --web.listen-address"
        ],
    )


def test_a_second_service_on_the_same_home(host):
    exit_code, lines = told(host.run("xenprof serve --web.listen-address 127.0.0.1:0"))

    assert (exit_code, len(lines)) == (1, 1)
    assert f"{host.home} is already served by process " in lines[0]


@pytest.mark.parametrize(
    "command",
    ["xm list", "xm top -b -i 1", "opcontrol --status", "opcontrol --start", "opcontrol --list-events",
     "xenprof profile"],
)  # fmt: skip
def test_a_service_that_does_not_run(tmp_path, command):
    exit_code, lines = told(shell(tmp_path, command))

    assert (exit_code, len(lines)) == (1, 1)
    assert f"not running on {tmp_path}; start it with: xenprof serve" in lines[0]


def test_where_no_service_runs_there_is_nothing_to_stop(tmp_path):
    assert told(shell(tmp_path, "xenprof stop")) == (
        1,
        [f"xenprof: the xenprof service is not running on {tmp_path}"],
    )


@pytest.fixture(scope="module")
def destroyed(tmp_path_factory):
    """Yield a host whose guest was destroyed while sampled; domain 0 then stopped as usual."""
    host = Host(tmp_path_factory.mktemp("home"), "--speed", "max")
    done = host.run(
        f"opcontrol --start-daemon --active-domains=0,3 --vmlinux={VMLINUX} --xen={XEN} && "
        f"XENPROF_DOMAIN={GUEST} opcontrol --start --vmlinux={VMLINUX}"
    )
    assert done.returncode == 0, done.stderr
    host.wait(10)  # the guest's driver hands samples over when its buffer is three quarters full
    yield (
        host,
        host.run(f"xm destroy {GUEST}"),
        host.run("opcontrol --stop && opcontrol --shutdown"),
    )
    host.close()


def test_destroying_a_domain_that_is_profiled_succeeds_silently(destroyed):
    _, destroy, _ = destroyed

    assert told(destroy) == (0, [])


def test_domain_0_goes_on_and_stops_without_it(destroyed):
    _, _, stop = destroyed

    assert told(stop) == (0, [])


def test_what_the_destroyed_domain_had_sampled_can_be_read(destroyed):
    host, _, _ = destroyed

    assert "linpack" in host.run("opreport -l", GUEST).stdout


def test_no_sample_of_the_destroyed_domain_is_unaccounted_for(destroyed):
    host, _, _ = destroyed
    lost_above_xen = sum(n for (_, reason), n in host.lost().items() if reason != "ring_full")
    stored = host.stored("Domain-0") + host.stored(GUEST)

    assert host.xenoprof()["active"] == stored + lost_above_xen + host.unread("Domain-0")


def test_opcontrol_in_the_destroyed_domain_says_that_it_is_gone(destroyed):
    host, _, _ = destroyed

    assert told(host.run("opcontrol --stop", GUEST)) == (1, [f"Domain '{GUEST}' does not exist."])


@pytest.fixture
def small_disk(tmp_path):
    """Yield a HOME in which Domain-0's samples are on a disk of 8 MiB."""
    disk = tmp_path / "domains/Domain-0/var/lib/oprofile"
    disk.mkdir(parents=True)
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}")
    yield tmp_path, disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_loses_nothing_that_was_written_and_keeps_the_rest(small_disk):
    home, disk = small_disk
    host = Host(home, "--speed", "max")
    try:
        done = host.run(f"opcontrol --start --vmlinux={VMLINUX} --xen={XEN}")
        assert done.returncode == 0, done.stderr
        host.wait(0.5)
        assert host.run("opcontrol --dump").returncode == 0
        before = host.stored("Domain-0")
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(bytes(4096))
                except OSError:
                    break
        host.wait(0.5)
        refused = host.run("opcontrol --dump")
        during = host.stored("Domain-0")
        filler.unlink()
        stopped = host.run("opcontrol --stop && opcontrol --shutdown")
        lost = sum(n for (_, reason), n in host.lost().items() if reason != "ring_full")
        counted = host.xenoprof()["active"]
        after = host.stored("Domain-0")
        unread = host.unread("Domain-0")
    finally:
        host.close()

    exit_code, lines = told(refused)
    assert (exit_code, len(lines)) == (1, 1)
    assert "No space left on device" in lines[0]
    assert during >= before > 0
    assert (stopped.returncode, after + lost + unread) == (0, counted)
