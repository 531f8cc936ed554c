"""The page at /, in a real browser, on a service whose host knows only names and running times."""

import http.client
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from hypervisor.telemetry import HostSnapshot, VbdSnapshot
from tests.support.e2e.browser import Browser
from tests.support.e2e.peers import peer
from tests.support.paths import ROOT
from tests.support.snapshots import grumble
from tests.support.sparse_host import sparse
from xenprof.wire.codec import encode

PROGRAM = [sys.executable, "-m", "tests.support.e2e.fake_service"]
HOSTILE = '<img src=x onerror="document.title=1">&amp;\N{RIGHT-TO-LEFT OVERRIDE}' + "n" * 200
ROWS = """[...document.querySelectorAll("#domains tr")].map(tr =>
    Object.fromEntries([...tr.cells].map(td => [td.dataset.head, td.textContent])))"""
FILLED = 'document.querySelector("#domains tr") !== null'
STILL = 'Object.defineProperty(document, "hidden", {value: true})'  # so it asks for no snapshots
RATES = ("CPU %", "Steal %", "Capped %", "Domain 0 %", "Net Mbit/s", "Disk req/s")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    process = subprocess.Popen(
        [*PROGRAM, str(tmp_path_factory.mktemp("home")), "127.0.0.1:0", "", "measurements"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.communicate(timeout=30)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = peer(shutil.which("chromium"), "chromium")
    with Browser(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def page(browser, url):
    """The page, which shows only what the test gives it."""
    browser.complaints.clear()
    browser.open(url, 1280)
    browser.until(FILLED)
    browser.ask(STILL)
    browser.ask("before = null; trends.clear()")
    return browser


def show(page: Browser, *hosts: HostSnapshot) -> dict[str, dict[str, str]]:
    """Show snapshots one after the other; return the cells by domain and head."""
    for host in hosts:
        page.ask(f"show({json.dumps(json.loads(encode(host)))})")
    return {cells["Domain"]: cells for cells in page.ask(ROWS)}


def test_a_running_service_fills_it_and_its_policy_lets_it(browser, url):
    browser.complaints.clear()
    browser.open(url, 1280)
    cells = browser.until(f'{ROWS}.find(one => one["CPU %"] === "25.0")')

    assert (cells["Domain"], browser.complaints) == ("web", [])


def test_one_snapshot_makes_no_rates(page):
    cells = show(page, grumble(10))["ossvm02"]

    assert {"-"} == {cells[head] for head in RATES}


def test_two_snapshots_make_rates(page):
    cells = show(page, grumble(10), grumble(20))["ossvm02"]

    assert {
        "CPU %": "60.0", "Steal %": "20.0", "Capped %": "0.0", "Domain 0 %": "5.0",
        "Net Mbit/s": "12.5", "Disk req/s": "100",
    } == {head: cells[head] for head in RATES}  # fmt: skip


def test_memory_is_actual_target_and_maximum(page):
    rows = show(page, grumble())

    assert (("256", "256", "512"), "no limit") == (
        tuple(rows["ossvm02"][head] for head in ("Memory MiB", "Target", "Maximum")),
        rows["Domain-0"]["Maximum"],
    )


def test_what_is_unknown_is_a_dash(page):
    cells = show(page, sparse(10), sparse(20))["web"]
    known = {head: text for head, text in cells.items() if text != "-"}

    assert {"Domain": "web", "ID": "1", "CPU %": "25.0", "Trend": ""} == known


def test_domain_0_has_no_devices_that_are_counted_and_a_guest_without_any_has_no_traffic(page):
    hosts = [
        replace(
            host,
            domains=tuple(replace(one, vifs=(), vbds=()) for one in host.domains[:2]),
            sources={},
        )
        for host in (grumble(10), grumble(20))
    ]
    shown = show(page, *hosts)
    guest = next(name for name in shown if name != "Domain-0")

    assert {"Domain-0": ("-", "-"), guest: ("0.0", "0")} == {
        name: (cells["Net Mbit/s"], cells["Disk req/s"]) for name, cells in shown.items()
    }


def test_disks_that_nobody_counts_make_no_rate(page):
    tap = VbdSnapshot(51712, "xvda", "/a.dsk", "w")
    hosts = [
        replace(host, domains=(replace(host.domains[1], vbds=(tap,)),))
        for host in (grumble(10), grumble(20))
    ]

    assert ["-"] == [cells["Disk req/s"] for cells in show(page, *hosts).values()]


def test_an_older_snapshot_is_another_run_without_rates(page):
    cells = show(page, grumble(10), grumble(20), grumble(5))["ossvm02"]

    assert "-" == cells["CPU %"]


def test_a_name_is_text(page):
    odd = replace(sparse(), domains=(replace(sparse().domains[0], name=HOSTILE),))

    assert ([HOSTILE], 0, []) == (
        list(show(page, odd)),
        page.ask('document.querySelectorAll("#domains img").length'),
        page.complaints,
    )


@pytest.mark.parametrize("snapshots", [(sparse(10), sparse(20)), (grumble(10), grumble(20))])
def test_a_phone_needs_no_horizontal_scrolling(browser, url, snapshots):
    browser.open(url, 390)
    browser.until(FILLED)
    browser.ask(STILL)
    named = [
        replace(host, domains=(*host.domains, replace(host.domains[1], domid=77, name=HOSTILE)))
        for host in snapshots
    ]
    show(browser, *named)

    assert 390 == browser.ask("document.documentElement.scrollWidth")


@pytest.mark.parametrize(
    ("is_dark", "ground"), [(False, "rgb(255, 255, 255)"), (True, "rgb(20, 23, 26)")]
)
def test_it_is_dark_for_who_likes_it_dark(browser, url, is_dark, ground):
    browser.open(url, 1280, is_dark=is_dark)
    browser.until("document.body !== null")

    assert ground == browser.ask("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize(
    ("clicks", "order"),
    [
        (0, ["db", "Domain-0", "web"]),
        (1, ["web", "Domain-0", "db"]),
        (2, ["db", "Domain-0", "web"]),
    ],
)
def test_a_click_on_a_head_sorts_by_it_and_a_second_one_turns_it_round(page, clicks, order):
    show(page, sparse(10), sparse(20))
    for _ in range(clicks):
        page.ask('[...document.querySelectorAll("th button")][4].click()')  # CPU %

    assert order == [cells["Domain"] for cells in page.ask(ROWS)]


def test_who_is_unknown_comes_last_in_either_order(page):
    known = replace(sparse().domains[1], memory_kib=1024)
    show(page, replace(sparse(), domains=(sparse().domains[0], known)))
    last = []
    for _ in range(2):
        page.ask('[...document.querySelectorAll("th button")][9].click()')  # Memory MiB
        last.append(page.ask(ROWS)[-1]["Domain"])

    assert ["Domain-0", "Domain-0"] == last


def test_its_links_lead_somewhere(page, url):
    links = page.ask('[...document.querySelectorAll("nav a")].map(a => [a.textContent, a.href])')
    statuses = {}
    for name, link in links:
        client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        client.request("GET", urlsplit(link).path)
        statuses[name] = client.getresponse().status
        client.close()

    assert {
        "Metrics": 200, "API": 200, "Snapshot": 200, "Profiles": 200, "Host": 200,
        "Health": 200, "Ready": 200,
    } == statuses  # fmt: skip


@pytest.mark.parametrize("path", ["docs/api", "profiles"])
def test_another_page_fits_a_phone_and_may_do_what_it_does(browser, url, path):
    browser.complaints.clear()
    browser.open(f"{url}{path}", 390)
    browser.until('document.querySelector("h1") !== null')

    assert (390, []) == (
        browser.ask("document.documentElement.scrollWidth"),
        browser.complaints,
    )
