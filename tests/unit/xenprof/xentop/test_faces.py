import asyncio
from dataclasses import replace

import pytest

from hypervisor.telemetry import PcpuSnapshot
from tests.support.sparse_host import sparse
from tests.support.talk_host import DESKTOP, HOST, SECOND
from tests.support.xentop_screen import SMALL, WIDE, Service, later, many, watch, xenprof_top
from xenprof.xentop.feed import LiveFeed, ReplayFeed
from xenprof.xentop.forms import XENPROF
from xenprof.xentop.recording import HEAD, Look, Recorder, Recording, to_line
from xenprof.xentop.screen import Pace
from xenprof.xentop.view import View

KEYS = "  Delay  Networks  vBds  VCPUs  Repeat  Sort  Pcpus  Info  Quit"
BY_NAME = ["DesktopVM", "Domain-0", "ossvm02", "r5b2-mySQL01", "WinDoof"]


def live(*hosts):
    return LiveFeed(Service(*hosts).fetch)


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "host.rec"
    looks = [Look(n * SECOND, later(HOST, n, DesktopVM=0.5 * n)) for n in range(4)]
    path.write_bytes(HEAD + b"".join(map(to_line, looks)))
    found = Recording(path)
    yield found
    found.close()


def test_steal_and_caps_stand_beside_the_used_time_on_a_small_screen():
    now = replace(
        later(HOST, 10, DesktopVM=5),
        domains=tuple(
            replace(
                domain,
                vcpus=tuple(
                    replace(vcpu, runnable_ns=SECOND, capped_ns=0) for vcpu in domain.vcpus
                ),
            )
            for domain in later(HOST, 10, DesktopVM=5).domains
        ),
    )
    before = replace(HOST, domains=tuple(
        replace(domain, vcpus=tuple(replace(vcpu, capped_ns=0) for vcpu in domain.vcpus))
        for domain in HOST.domains
    ))  # fmt: skip
    sight = watch("x", feed=live(before, now))

    assert ["50.0", "10.0", "0.0"] == [
        sight.column(head)[0] for head in ("CPU(%)", "STEAL(%)", "CAPPED(%)")
    ]


def test_what_is_unknown_is_a_dash():
    sight = watch("x", feed=live(sparse(10), sparse(20)))

    assert ["-", "-", "-"] == sight.column("STEAL(%)")


def test_the_keys_fit_on_a_small_screen():
    assert KEYS == watch().lines[-1]


def test_p_shows_the_pcpus_and_leaves_them_again():
    busy = replace(
        later(HOST, 1), pcpus=tuple(PcpuSnapshot(n, n // 2, idle_ns=n * 10**8) for n in range(4))
    )

    assert ["socket 0     0 99", "socket 1     2 87"] == watch("p", feed=live(HOST, busy)).lines[
        4:6
    ]
    assert BY_NAME == watch("p", "p").names


def test_a_thousand_pcpus_are_on_one_small_screen():
    many_pcpus = tuple(PcpuSnapshot(n, n // 256, idle_ns=0) for n in range(1024))
    hosts = replace(HOST, pcpus=many_pcpus), replace(later(HOST, 1), pcpus=many_pcpus)
    sight = watch("p", feed=live(*hosts), size=(86, 24))

    assert 1024 == sum(line[14:].count("9") for line in sight.lines[4:20])


def test_heat_is_read_without_colours():
    hot = replace(HOST, pcpus=(PcpuSnapshot(0, idle_ns=0),))
    sight = watch("p", feed=live(hot, replace(hot, time_ns=HOST.time_ns + SECOND)))

    assert "9" == sight.with_attribute(4, reverse=True)


@pytest.mark.parametrize(("wish", "expected"), [(None, {"yellow"}), ("1", set())])
def test_no_colour_is_shown_where_none_is_wanted(wish, expected, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if wish is not None:
        monkeypatch.setenv("NO_COLOR", wish)
    styles = [s.style for strip in watch("n", size=WIDE).strips for s in strip if s.style]
    grounds = {style.bgcolor.name for style in styles if style.bgcolor}

    assert expected == grounds - {"default"}


def test_i_shows_where_the_data_come_from():
    sight = watch("i", feed=live(sparse()))

    assert "vcpu_time       hypercall asked of the hypervisor" == sight.lines[4]


def test_what_the_panel_has_more_than_fits_is_reached_by_the_arrows():
    assert (
        watch("i", feed=live(sparse())).lines[4:]
        != watch("i", "pagedown", feed=live(sparse())).lines[4:]
    )


@pytest.mark.parametrize(
    ("key", "begin"), [("n", "Net0 RX:"), ("b", "VBD BlkBack 51712"), ("v", "VCPUs(sec):")]
)
def test_a_switch_shows_detail_lines(key, begin):
    assert watch(key).lines[5].startswith(begin)


def test_s_sorts_by_the_next_column():
    sight = watch("s", view=View(sort=2), feed=live(HOST, later(HOST, 3, WinDoof=3)))

    assert ("WinDoof", "CPU(%)") == (
        sight.names[0],
        sight.with_attribute(3, bold=True).strip(),
    )


def test_after_the_last_column_comes_the_first():
    last = View(sort=len(XENPROF.columns) - 1)

    assert "NAME" == watch("s", view=last).with_attribute(3, bold=True).strip()


def test_a_wrong_delay_is_told():
    assert (
        "the delay must be a number of seconds above 0, not '0'"
        == watch("d", "0", "enter").lines[-2]
    )


@pytest.mark.parametrize("key", ["q", "Q", "escape", "ctrl+c"])
def test_q_and_escape_leave(key):
    app = watch(key).app

    assert (True, 0) == (app._exit, app.return_code)


def run_until_it_leaves(feed, pace):
    async def until_it_leaves():
        await xenprof_top(feed, pace=pace).run_async(headless=True, size=SMALL)

    asyncio.run(until_it_leaves())


@pytest.mark.parametrize("iterations", [1, 3])
def test_the_screen_looks_of_itself_until_the_last_iteration(iterations):
    service = Service()
    run_until_it_leaves(LiveFeed(service.fetch), Pace(0.01, iterations))

    assert iterations == service.asked


def test_a_replay_goes_on_of_itself(recording):
    feed = ReplayFeed(recording, 64)
    run_until_it_leaves(feed, Pace(1e5, 4))

    assert feed.status.startswith("Look 4 of 4")


def test_a_service_that_is_gone_leaves_its_last_data():
    service = Service()

    def leaving():
        found = service.fetch()
        service.is_gone = True
        return found

    sight = watch("x", feed=LiveFeed(leaving))

    assert (BY_NAME, True) == (
        sight.names[:5],
        any(line.startswith("No new data, trying again:") for line in sight.lines),
    )


def test_a_recording_is_told_on_the_screen(tmp_path):
    recorder = Recorder(tmp_path / "r", 10**9)
    feed = LiveFeed(Service(HOST, later(HOST, 3)).fetch, recorder, lambda: 1)
    sight = watch("x", feed=feed, size=WIDE)
    recorder.close()

    assert f"Recording into {tmp_path}/r: 2 looks" == sight.lines[-2]


def test_keys_step_through_a_replay(recording):
    sight = watch("full_stop", "full_stop", "comma", feed=ReplayFeed(recording))

    assert ("50.0", "Look 2 of 4") == (sight.column("CPU(%)")[0], sight.lines[-2][:11])


def test_a_damaged_look_is_told_on_the_screen(tmp_path):
    path = tmp_path / "x.rec"
    path.write_bytes(HEAD + to_line(Look(0, HOST)) + b"{}\n")
    recording = Recording(path)
    sight = watch("full_stop", feed=ReplayFeed(recording), size=WIDE)
    recording.close()

    assert f"{path}: look 2 is damaged: 'seen_unix_ns' is missing" == sight.lines[-2]


def test_names_cannot_write_on_the_screen():
    evil = replace(HOST, domains=(replace(DESKTOP, name="a\x1b[2J\n\u202eb"),))

    assert ["a?[2J??b"] == watch(feed=live(evil)).names


def test_many_domains_scroll():
    assert "guest29" == watch("end", *["pagedown"] * 9, feed=live(many(30)), size=SMALL).names[-1]


def test_the_host_is_named_above_the_table():
    assert "xenprof top grumble - 00:00:00   Xen 3.0.3-rc5.el5" == watch().lines[0]
