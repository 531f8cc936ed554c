from dataclasses import replace

import pytest

from tests.support.talk_host import DOMAIN_0, HOST, MYSQL, FakeClient

CREDIT = {"domains/13/sched-credit": {"weight": 256, "cap_percent": 25}}
NEW = replace(HOST, tools="3.1")
TABLE_3_1 = """\
Name                              ID Weight Cap\x20
r5b2-mySQL01                      13    256   25
"""


@pytest.mark.parametrize("name", ["sched-credit", "csched", "sched-c"])
def test_one_domain_is_shown_as_the_talk_shows_it(xm, name):
    assert xm(name, "-d", "13", **CREDIT) == (0, "{'cap': 25, 'weight': 256}\n", "")


def test_setting_prints_nothing_and_sends_only_what_was_given(xm):
    client = FakeClient()
    assert xm("sched-credit", "-d", "a/b", "-w", "512", client=client) == (0, "", "")
    assert client.posts == [("/api/v1/domains/a%2Fb/sched-credit", {"weight": 512})]


def test_no_domain_is_an_error_in_3_0_3(xm):
    code, out, error = xm("sched-credit")
    assert (code, error) == (1, "Error: No domain given.\n")
    assert out.startswith("Usage: xm sched-credit -d <Domain>")


def test_long_options_have_no_effect_in_3_0_3_and_say_so(xm):
    client = FakeClient()
    _, _, error = xm("sched-credit", "-d", "13", "--weight=512", client=client, **CREDIT)
    assert client.posts == []
    assert error == "xm: --weight has no effect in Xen 3.0.3; use -w\n"


def test_a_weight_that_is_no_number_is_an_invalid_argument(xm):
    code, _, error = xm("sched-credit", "-d", "13", "-w", "much")
    assert (code, error) == (1, "Error: Invalid argument.\n")


def test_3_1_prints_a_table(xm):
    assert xm("sched-credit", "-d", "13", hosts=[NEW]) == (0, TABLE_3_1, "")


def test_3_1_lists_all_domains_without_d(xm):
    _, out, _ = xm("sched-credit", hosts=[NEW])
    assert len(out.splitlines()) == 1 + len(NEW.domains)


def test_3_1_takes_long_options(xm):
    client = FakeClient(hosts=[NEW])
    xm("sched-credit", "--domain=13", "--cap=50", client=client)
    assert client.posts == [("/api/v1/domains/13/sched-credit", {"cap_percent": 50})]


def test_3_1_names_the_other_scheduler(xm):
    code, _, error = xm("sched-credit", hosts=[replace(NEW, scheduler="sedf")])
    assert (code, error) == (1, "Error: Xen is running with the sedf scheduler\n")


SEDF = replace(HOST, scheduler="sedf", domains=(DOMAIN_0, MYSQL))
TWENTY_MS = {
    "period_ns": 20_000_000, "slice_ns": 15_000_000, "latency_ns": 0, "extratime": True, "weight": 0,
}  # fmt: skip
SEDF_TABLE = """\
Name                              ID Period(ms) Slice(ms) Lat(ms) Extra Weight
Domain-0                           0      20.0      15.0     0.0      1      0
r5b2-mySQL01                      13     100.0       0.0     0.5      0      3
"""
BOTH = {
    "domains/Domain-0/sched-sedf": TWENTY_MS,
    "domains/r5b2-mySQL01/sched-sedf": {
        "period_ns": 100_000_000, "slice_ns": 0, "latency_ns": 500_000, "extratime": False, "weight": 3,
    },
}  # fmt: skip


def test_sedf_lists_the_settings_in_milliseconds(xm):
    assert xm("sched-sedf", hosts=[SEDF], **BOTH) == (0, SEDF_TABLE, "")


def test_sedf_lists_one_domain(xm):
    _, out, _ = xm("sched-sedf", "13", hosts=[SEDF], **BOTH)
    assert out.splitlines() == SEDF_TABLE.splitlines()[::2]


@pytest.mark.parametrize(
    ("options", "body"),
    [
        (["-p", "20", "-s", "0.5"], {"period_ns": 20_000_000, "slice_ns": 500_000}),
        (["--latency=5", "-e", "1"], {"latency_ns": 5_000_000, "extratime": 1}),
        (["--extra=0"], {"extratime": 0}),
        (["-w2"], {"weight": 2}),
    ],
)
def test_sedf_sends_only_what_was_given(xm, options, body):
    client = FakeClient(hosts=[SEDF])
    assert xm("sched-sedf", "13", *options, client=client) == (0, "", "")
    assert client.posts == [("/api/v1/domains/r5b2-mySQL01/sched-sedf", body)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nosuch"], "Domain 'nosuch' does not exist."),
        (["13", "-p", "x"], "Invalid argument."),
        (["13", "-p", "nan"], "Invalid argument."),
        (["13", "-e", "yes"], "Invalid argument."),
        (["-p", "20"], "No domain given."),
    ],
)
def test_sedf_refuses_what_makes_no_sense(xm, words, message):
    code, out, error = xm("sched-sedf", *words, hosts=[SEDF])
    assert (code, error) == (1, f"Error: {message}\n")
    assert out.startswith("Usage: xm sched-sedf <Domain> [options]\n")


def test_sedf_needs_the_sedf_scheduler(xm):
    assert xm("sched-sedf") == (1, "", "Error: Xen is running with the credit scheduler\n")
