import re
import shlex
from collections.abc import Iterator

import pytest

from dashboards.rules.files import RUNBOOKS
from dashboards.rules.runbooks import markdown
from dashboards.rules.table import ALERTS
from dashboards.rules.texts import for_reading, on_a_real_host
from tests.support.paths import ROOT
from xenprof.cli.main import COMMANDS, PROGRAMS
from xenprof.cli.xm.table import load

OF_THE_SYSTEM = {"curl", "tail", "uptime", "make", "echo", "journalctl", "systemctl", "python3"}
TYPED = sorted({command for alert in ALERTS for command, _ in (*alert.look, *alert.act) if command})


def programs(command: str) -> Iterator[list[str]]:
    """Yield the words of each program of a pipe."""
    words: list[str] = []
    for word in shlex.split(command):
        if word == "|":
            yield words
            words = []
        else:
            words.append(word)
    yield words


def test_the_document_is_current():
    on_disk = (ROOT / RUNBOOKS).read_text(encoding="utf-8")

    assert markdown() == on_disk, "run: python -m dashboards.rules"


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_has_a_section_where_its_link_leads(alert):
    anchors = [title.lower() for title in re.findall(r"^### (\w+)$", markdown(), re.MULTILINE)]

    assert anchors.count(alert.anchor) == 1


def test_panels_lead_to_sections_that_there_are():
    definitions = (ROOT / "dashboards" / "definitions").glob("*.yaml")
    text = "".join(path.read_text(encoding="utf-8") for path in definitions)
    named = set(re.findall(r"^ *runbook: (\w+)$", text, re.MULTILINE))

    assert named - {alert.name for alert in ALERTS} == set()


def test_no_template_is_left_for_people_to_read():
    assert re.findall(r"{{.*?}}|\$\w+", markdown()) == []


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_confirming_starts_and_ends_nothing(alert):
    changing = ("xenprof serve --background", "xenprof stop", "systemctl restart", "make ")

    assert [command for command, _ in alert.look if command.startswith(changing)] == []


@pytest.mark.parametrize("command", [one for one in TYPED if one.startswith("xm ")])
def test_a_command_of_xm_has_one_for_a_real_host(command: str):
    assert (on_a_real_host(command) or "").split()[:1] in (["xl"], ["tail"])


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_what_to_do_is_told_for_a_real_host_too(alert):
    section = markdown().partition(f"### {alert.name}\n")[2].partition("### ")[0]
    there = [on_a_real_host(command) for command, _ in alert.act]

    assert [
        one for one in there if one and f"on a real host `{for_reading(one)}`" not in section
    ] == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("xm sched-credit -d web -w 512", "xl sched-credit2 -d web -w 512"),
        ("xm vcpu-pin web 0 0-1", "xl vcpu-pin web 0 0-1"),
        ("xm mem-set Domain-0 512", "xl mem-set Domain-0 512"),
        ("xm list", "xl list"),
        ("opcontrol --shutdown", None),
        ("", None),
    ],
)
def test_xl_is_typed_where_xm_is_here(command: str, expected: str | None):
    assert expected == on_a_real_host(command)


def test_no_runbook_starts_a_service_without_the_options_that_it_had():
    acts = [command for alert in ALERTS for command, _ in alert.act]

    assert [command for command in acts if command.startswith("xenprof serve")] == []


@pytest.mark.parametrize("command", TYPED)
def test_a_command_is_one_that_there_is(command: str):
    for name, *rest in programs(command):
        known = OF_THE_SYSTEM | set(PROGRAMS) | {"xenprof", "xentop"}
        assert name in known
        if name == "xenprof" and not rest[0].startswith("-"):
            assert rest[0] in {*PROGRAMS, *COMMANDS}
        if name == "xm":
            assert load(rest[0]) is not None
