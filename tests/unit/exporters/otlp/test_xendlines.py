import pytest

from exporters.otlp.xendlines import XendEntry, parse

OLD = "[2007-03-14 12:00:00 xend.XendDomainInfo 3070] DEBUG (XendDomainInfo:190) a text"
NEW = "[2007-03-14 12:00:00 3070] DEBUG (XendDomainInfo:190) a text"


def test_an_entry_of_3_0_3_is_read():
    assert parse(OLD) == XendEntry(
        1_173_873_600, "xend.XendDomainInfo", 3070, "DEBUG", "XendDomainInfo", 190, "a text",
        None, None,
    )  # fmt: skip


def test_an_entry_of_3_1_has_no_logger():
    entry = parse(NEW)
    assert entry is not None
    assert (entry.logger, entry.text) == ("xend", "a text")


def test_a_text_may_have_several_lines():
    entry = parse(OLD + "\nTraceback")
    assert entry is not None
    assert entry.text == "a text\nTraceback"


@pytest.mark.parametrize("line", ["", "a text", "[yesterday] INFO (x:1) a"])
def test_another_line_is_no_entry(line):
    assert parse(line) is None


@pytest.mark.parametrize(
    ("text", "domain", "domid"),
    [
        ("Domain web (3) unpaused.", "web", 3),
        ("Domain has crashed: name=web id=3.", "web", 3),
        ("Domain has shutdown: name=web id=3 reason=poweroff.", "web", 3),
        ("XendDomainInfo.dumpCore failed: id = 3 name = web: no space", "web", 3),
        ("XendDomainInfo.destroy: domid=3", None, 3),
        ("buildDomain os=linux dom=3 vcpus=2", None, 3),
        ("Domain 3 suspended.", None, 3),
        ("Save failed on domain web (3).", "web", 3),
        ("Setting memory target of domain web (3) to 512 MiB.", "web", 3),
        ("Storing VM details: {'uuid': '6f', 'name': 'web', 'memory': '64'}", "web", None),
        ("Storing domain details: {'vm': '/vm/6f', 'domid': '3', 'name': 'web'}", "web", 3),
        ("XendDomainInfo.create(['vm', ['name', 'web'], ['memory', 64]])", "web", None),
        ("Waiting for devices vif.", None, None),
        ("Balloon: setting dom0 target to 512 MiB.", None, None),
    ],
)
def test_the_domain_is_the_one_that_a_message_of_xend_names(text, domain, domid):
    entry = parse(f"[2007-03-14 12:00:00 3070] INFO (XendDomain:1) {text}")
    assert entry is not None
    assert (entry.domain, entry.domid) == (domain, domid)
