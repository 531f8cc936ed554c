import subprocess

import pytest
from hypothesis import given, settings

from tests.support.advising import domain0, facts, guest
from tests.support.any_host import hosts
from xenprof.advise.rules import advice_for
from xenprof.advise.rules.words import managed, scheduled

HOST = facts(domain0(), guest())


def texts(commands):
    return [one.text for one in commands]


def test_a_name_is_one_word():
    assert ["xm mem-set 'a b' 64"] == texts(managed(HOST, "mem-set", "a b", 64))


@pytest.mark.parametrize(
    ("known", "command"),
    [
        ({"xen_major": 3}, "xm sched-credit -d web -c 0"),
        ({"xen_major": 4}, "xl sched-credit -d web -c 0"),
        ({"xen_major": 4, "scheduler": "credit2"}, "xl sched-credit2 -d web -c 0"),
    ],
)
def test_weights_and_caps_are_set_by_the_command_of_the_scheduler(known, command):
    assert [command] == texts(scheduled(facts(guest(), **known), "web", "-c", 0))


def test_where_xapi_manages_no_command_of_xl_is_told():
    assert () == managed(facts(guest(), xen_major=4, tools="xapi"), "mem-set", "web", 64)


@settings(max_examples=20, deadline=None)
@given(hosts)
def test_a_shell_takes_every_command_that_is_typed_in_a_domain(host):
    names = {one.name for one in host.domains} | {"Domain-0"}
    typed = [one.text for advice in advice_for(host) for one in advice.do if one.where in names]
    done = subprocess.run(["bash", "-n"], input="\n".join(typed), text=True, capture_output=True)
    assert "" == done.stderr
