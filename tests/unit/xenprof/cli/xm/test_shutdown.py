from dataclasses import replace

import pytest

from tests.support.talk_host import DESKTOP, DOMAIN_0, HOST, OSSVM02, FakeClient
from xenprof.client import ServiceError

WAIT = ("/api/v1/wait", {"seconds": 1})


def host(*domains):
    return replace(HOST, domains=domains)


def asked(client) -> list[tuple[str, object]]:
    return [post for post in client.posts if post != WAIT]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["shutdown"], "poweroff"),
        (["shutdown", "-H"], "halt"),
        (["shutdown", "--reboot"], "reboot"),
        (["reboot"], "reboot"),
    ],
)
def test_a_domain_is_asked_by_its_name(xm, words, reason):
    client = FakeClient()
    assert xm(*words, "6", client=client) == (0, "", "")
    assert client.posts == [("/api/v1/domains/ossvm02/shutdown", {"reason": reason})]


def test_all_is_all_but_domain_0(xm):
    client = FakeClient(hosts=[host(DOMAIN_0, OSSVM02, DESKTOP)])
    xm("shutdown", "-a", client=client)
    assert [path for path, _ in client.posts] == [
        "/api/v1/domains/DesktopVM/shutdown",
        "/api/v1/domains/ossvm02/shutdown",
    ]


def test_a_domain_that_goes_by_itself_does_not_stop_the_others(xm):
    gone = ServiceError("Domain 'DesktopVM' does not exist.", "UnknownDomain", 1, 404)
    client = FakeClient(hosts=[host(DESKTOP, OSSVM02)], **{"domains/DesktopVM/shutdown": gone})
    assert xm("shutdown", "-a", client=client)[0] == 0
    assert len(client.posts) == 2


def test_waiting_polls_each_second_and_names_each_domain_that_went(xm):
    both, one, none = host(DESKTOP, OSSVM02), host(OSSVM02), host()
    client = FakeClient(hosts=[both, both, one, none])
    assert xm("shutdown", "-aw", client=client) == (
        0,
        "Domain DesktopVM terminated\nDomain ossvm02 terminated\nAll domains terminated\n",
        "",
    )
    assert client.posts[2:] == [WAIT] * 3


def test_a_domain_that_is_preserved_has_terminated_too(xm):
    client = FakeClient(hosts=[host(OSSVM02), host(replace(OSSVM02, shutdown=True))])
    _, out, _ = xm("shutdown", "-w", "ossvm02", client=client)
    assert out == "Domain ossvm02 terminated\nAll domains terminated\n"


def test_a_domain_has_rebooted_when_it_has_another_id(xm):
    again = replace(OSSVM02, domid=14)
    client = FakeClient(hosts=[host(OSSVM02), host(OSSVM02), host(), host(again)])
    assert xm("reboot", "-w", "ossvm02", client=client) == (
        0,
        "Domain ossvm02 rebooted\nAll domains rebooted\n",
        "",
    )


def test_a_domain_that_does_not_come_back_fails_the_reboot(xm):
    client = FakeClient(hosts=[host(OSSVM02), host()])
    assert xm("reboot", "-w", "ossvm02", client=client) == (
        1,
        "Domain ossvm02 destroyed for failed in rebooting\n",
        "",
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shutdown", "-H", "-R", "web"], "Can't specify halt and reboot"),
        (["shutdown", "-w"], "No domain parameter given"),
        (["shutdown", "web", "shop"], "No multiple domain parameters allowed"),
    ],
)
def test_what_is_not_clear_is_refused_without_usage(xm, words, message):
    client = FakeClient()
    assert xm(*words, client=client) == (1, "", f"Error: {message}\n")
    assert client.posts == []


@pytest.mark.parametrize(("name", "most"), [("shutdown", 4), ("reboot", 3)])
def test_without_a_word_the_number_of_arguments_is_wrong(xm, name, most):
    _, _, error = xm(name)
    assert error == f"Error: 'xm {name}' requires between 1 and {most} arguments.\n"
