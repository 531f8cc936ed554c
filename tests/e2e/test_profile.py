def profile(xenprof, *arguments):
    return xenprof("profile", "--for", "500ms", "--event", "GLOBAL_POWER_EVENTS:100000:1",
                   *arguments)  # fmt: skip


def test_each_active_domain_gets_a_report_with_its_symbols(xenprof):
    done = profile(xenprof, "--active", "0,busy")
    domain_0, _, guest = done.stdout.partition("=== busy ===")

    assert done.returncode == 0, done.stderr
    assert "=== Domain-0 ===" in domain_0
    assert "xen-syms" in domain_0
    assert "linpack" in guest


def test_progress_goes_to_stderr(xenprof):
    done = profile(xenprof)

    assert "profiling 100 %" in done.stderr
    assert "profiling" not in done.stdout


def test_a_session_of_opcontrol_is_not_ended(xenprof):
    xenprof("opcontrol", "--start", "--vmlinux=/usr/lib/debug/lib/modules/2.6.18-8.el5xen/vmlinux")
    refused = profile(xenprof)
    xenprof("opcontrol", "--shutdown")

    assert (refused.returncode, refused.stderr) == (
        1,
        "xenprof: a daemon profiles Domain-0 already: end its session first "
        "(opcontrol --shutdown)\n",
    )
    assert profile(xenprof).returncode == 0


def test_an_unknown_domain_is_one_line(xenprof):
    done = profile(xenprof, "--active", "0,nobody")

    assert (done.returncode, done.stderr) == (1, "xenprof: Domain 'nobody' does not exist.\n")


def test_a_refused_event_ends_with_opcontrols_exit_code_and_no_daemon(xenprof):
    done = xenprof("profile", "--event", "NO_SUCH:100000", "--for", "1s")
    status = xenprof("opcontrol", "--status")

    assert done.returncode == 1
    assert 'No such event "NO_SUCH"' in done.stderr
    assert status.stdout.startswith("Daemon not running")


def test_what_opcontrol_remembers_stays_as_it_was(xenprof):
    xenprof("opcontrol", "--setup", "--no-vmlinux", "--callgraph=2")
    before = xenprof("opcontrol", "--status").stdout
    profiled = xenprof("profile", "--event", "GLOBAL_POWER_EVENTS:3000000", "--for", "100ms")
    after = xenprof("opcontrol", "--status").stdout

    assert profiled.returncode == 0, profiled.stderr
    assert "Call-graph depth: 2" in after
    assert before == after
