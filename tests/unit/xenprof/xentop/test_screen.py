import asyncio
from dataclasses import replace

import pytest

from tests.support.talk_host import DESKTOP, DOMAIN_0, HOST
from tests.support.xentop_screen import NEVER, SMALL, WIDE, Service, later, look, many, xentop
from xenprof.client import ServiceError
from xenprof.xentop.forms import XENTOP_3
from xenprof.xentop.screen import Pace
from xenprof.xentop.table import head
from xenprof.xentop.view import View
from xenprof.xentop.widgets import DomainTable

COLUMNS, HEAD = XENTOP_3.columns, head(XENTOP_3)
KEYS = "  Delay  Networks  vBds  VCPUs  Repeat header  Sort order  Quit  Arrows scroll"
FAR_RIGHT = ["right"] * 9
BY_NAME = ["DesktopVM", "Domain-0", "ossvm02", "r5b2-mySQL01", "WinDoof"]


def test_the_first_screen_is_sorted_by_name_and_has_no_cpu_percent():
    sight = look()
    assert (sight.names, sight.column("CPU(%)")[:3]) == (BY_NAME, ["0.0"] * 3)


def test_the_keys_fit_on_the_bottom_line_of_a_small_screen():
    assert look().lines[-1] == KEYS


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("n", "Net0 RX:  2048000bytes     1500pkts        0err        2drop  TX:  1025000bytes"),
        ("b", "VBD 51712 [ca: 0]  OO:        4   RD:      729   WR:       31"),
        ("v", "VCPUs(sec):   0:          7s"),
    ],
)
def test_a_switch_shows_detail_lines(key, line):
    assert look(key).lines[5] == line[:80].rstrip()


@pytest.mark.parametrize("keys", [("n", "n"), ("b", "B"), ("V", "v"), ("r", "R")])
def test_a_switch_pressed_twice_is_off_in_either_case(keys):
    assert look(*keys).lines == look().lines


def test_a_switch_that_is_on_is_marked():
    sight = look("n", "r")
    assert "".join(s.text for s in sight.strips[-1] if s.style and s.style.bgcolor) == (
        "etworksepeat header"
    )


def test_r_repeats_the_head_before_each_domain():
    assert look("r").lines[3:13:2] == [HEAD.text[:80]] * 5


def test_options_are_switched_on_from_the_start():
    assert look(view=View(vcpus=True)).lines[5].startswith("VCPUs(sec):")


@pytest.mark.parametrize("number", range(len(COLUMNS)))
@pytest.mark.parametrize("size", [SMALL, WIDE])
def test_the_sort_column_is_bold_and_on_the_screen(number, size):
    before = View(sort=(number - 1) % len(COLUMNS))
    sight = look("s", view=before, size=size)
    assert sight.with_attribute(3, bold=True, reverse=True) == HEAD.cells[number]


def test_after_the_last_column_comes_the_first():
    assert look("s", view=View(sort=len(COLUMNS) - 1)).with_attribute(3, bold=True) == HEAD.cells[0]


def test_the_head_is_in_reverse_video():
    assert look(size=WIDE).with_attribute(3, reverse=True) == HEAD.text


def test_any_key_looks_again_and_cpu_percent_is_of_model_time():
    # As with a model at twice the speed: only model time counts.
    service = Service(HOST, later(HOST, 6, DesktopVM=3))
    assert look("x", service=service).column("CPU(%)")[0] == "50.0"


def test_a_snapshot_of_the_same_moment_changes_nothing():
    newer = later(HOST, 3, DesktopVM=1.5)
    service = Service(HOST, newer, newer)
    assert look("x", "x", "x", service=service).column("CPU(%)")[0] == "50.0"


def test_d_asks_for_the_delay():
    sight = look("d", "1", "x", "backspace", ".", "5")
    assert sight.lines[-1] == "  Delay(sec): 1.5"


@pytest.mark.parametrize(("last", "delay"), [("enter", 12.0), ("escape", NEVER)])
def test_enter_takes_the_delay_and_escape_does_not(last, delay):
    sight = look("d", "1", "2", last)
    assert (sight.lines[-1], sight.app._delay_seconds) == (KEYS, delay)


def test_a_delay_that_is_no_time_is_refused_in_one_line():
    sight = look("d", "0", "enter")
    assert (sight.lines[-2], sight.app._delay_seconds) == (
        "the delay must be a number of seconds above 0, not '0'",
        NEVER,
    )


def test_the_refusal_goes_with_the_next_key():
    assert look("d", "0", "enter", "x").lines[-2] == ""


def test_no_delay_typed_keeps_the_old_one():
    assert look("d", "enter").app._delay_seconds == NEVER


def test_keys_typed_at_the_prompt_do_nothing_else():
    assert look("d", "n", "s", "q").lines[3:-1] == look().lines[3:-1]


@pytest.mark.parametrize("key", ["q", "Q", "escape", "ctrl+c"])
def test_q_and_escape_leave(key):
    app = look(key).app
    assert (app._exit, app.return_code) == (True, 0)


@pytest.mark.parametrize("iterations", [1, 3])
def test_the_screen_looks_of_itself_after_the_delay_until_the_last_iteration(iterations):
    service = Service()

    async def until_it_leaves():
        app = xentop(service, pace=Pace(0.01, iterations))
        await app.run_async(headless=True, size=SMALL)

    asyncio.run(until_it_leaves())
    assert service.asked == iterations


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        ((), "guest00"),
        (("down", "down"), "guest02"),
        (("down", "up"), "guest00"),
        (("up",), "guest00"),
        (("pagedown",), "guest19"),
        (("pagedown", "pageup"), "guest00"),
        (("pagedown",) * 9, "guest41"),
    ],
)
def test_arrows_and_pages_scroll_within_the_table(keys, first):
    sight = look(*keys, service=Service(many(60)))
    assert (sight.lines[3], sight.names[0]) == (HEAD.text[:80], first)


def test_scrolling_sideways_keeps_the_names_and_moves_a_column_at_a_time():
    sight = look("right", "right")
    assert sight.lines[3].split()[:2] == ["NAME", "CPU(%)"]


def test_scrolling_sideways_ends_with_the_last_column():
    sight = look(*FAR_RIGHT)
    assert (sight.names[0], sight.lines[3].split()[-1]) == ("DesktopVM", "SSID")


def test_scrolling_back_ends_with_the_first_column():
    assert look(*FAR_RIGHT, *["left"] * 9).lines == look().lines


def test_there_is_nothing_to_scroll_where_all_fits():
    assert look("right", "down", "pagedown", size=WIDE).lines == look(size=WIDE).lines


def test_a_long_detail_line_can_be_read_to_its_end():
    sight = look("n", *FAR_RIGHT)
    assert sight.lines[5].endswith("0drop")


def test_a_screen_that_grows_is_filled():
    async def drive():
        service = Service(many(60))
        app = xentop(service)
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("pagedown", "pagedown", "pagedown", *FAR_RIGHT)
            await pilot.resize_terminal(160, 70)
            await pilot.pause()
            table = app.query_one(DomainTable)
            return table._above, table._hidden

    assert asyncio.run(drive()) == (0, 0)


def test_a_service_that_is_gone_leaves_the_last_data_and_says_so():
    service = Service(HOST, later(HOST, 3, DesktopVM=1.5))

    def go(app):
        service.is_gone = True

    before = look("x", service=Service(HOST, later(HOST, 3, DesktopVM=1.5)))
    after = look("x", "x", service=service, between=go)
    assert (after.lines[:-3], after.lines[-3:-1]) == (
        before.lines[:-3],
        [
            "No new data, trying again: the xenprof service is not running on /home; start it",
            "with: xenprof serve --background",
        ],
    )


def test_a_service_that_is_back_is_shown_from_its_first_snapshot():
    service = Service(HOST, HOST, later(HOST, 9, DesktopVM=-5), later(HOST, 9, DesktopVM=-5))

    def toggle(app):
        service.is_gone = not service.is_gone

    sight = look("x", "x", "x", service=service, between=toggle)
    assert (sight.column("CPU(%)")[0], sight.lines[-2]) == ("0.0", "")


def test_an_error_of_the_service_is_told_as_one():
    class Stopping(Service):
        def fetch(self):
            if self.asked:
                raise ServiceError("the host stopped")
            return super().fetch()

    async def drive():
        app = xentop(Stopping())
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("x")
            await app.workers.wait_for_complete()
            return app._trouble

    assert asyncio.run(drive()) == "No new data, trying again: the host stopped"


def test_a_domain_that_ended_leaves_the_screen():
    fewer = replace(later(HOST, 3), domains=(DOMAIN_0, DESKTOP))
    assert look("x", service=Service(HOST, fewer)).names == ["DesktopVM", "Domain-0"]
