from collections.abc import Callable

import pytest

from hypervisor.toolstack.records.xendlog import (
    MAX_TEXT,
    LogEntry,
    Message,
    Messages,
    XendLog,
    format_entry,
)

MAY_9_2007 = 1_178_722_805 * 10**9 + 999_999_999
ENTRY = LogEntry(
    MAY_9_2007, "INFO", "xend.XendDomainInfo", "XendDomainInfo", 891, "Domain has shutdown"
)


SAYS = Message("image", 1, "%s")


def now() -> int:
    return MAY_9_2007


def new_log(
    unix_ns: Callable[[], int] = now, *, tools: str = "3.0.3", max_entries: int = 100
) -> XendLog:
    return XendLog(unix_ns, pid=7, tools=tools, max_entries=max_entries)


def test_an_entry_of_3_0_3_names_its_logger():
    expected = "[2007-05-09 15:00:05 xend.XendDomainInfo 2889] INFO (XendDomainInfo:891) Domain has shutdown"
    assert expected == format_entry(ENTRY, 2889, "3.0.3")


def test_an_entry_of_3_1_does_not_name_its_logger():
    expected = "[2007-05-09 15:00:05 2889] INFO (XendDomainInfo:891) Domain has shutdown"
    assert expected == format_entry(ENTRY, 2889, "3.1")


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_each_level_has_its_method(level):
    log = new_log()
    getattr(log, level)(Messages.unpaused, "web", 3)
    expected = (
        f"[2007-05-09 15:00:05 xend 7] {level.upper()} (XendDomain:370) Domain web (3) unpaused."
    )
    assert [expected] == log.take()


def test_the_domain_module_has_its_own_logger():
    log = new_log()
    log.debug(Messages.destroy, 3)
    expected = "[2007-05-09 15:00:05 xend.XendDomainInfo 7] DEBUG (XendDomainInfo:1463) XendDomainInfo.destroy: domid=3"
    assert [expected] == log.take()


def test_an_entry_has_the_time_it_was_made():
    times = iter([0, 10**9])
    log = new_log(lambda: next(times))
    log.debug(SAYS, "a")
    log.debug(SAYS, "b")
    assert ["[1970-01-01 00:00:00", "[1970-01-01 00:00:01"] == [one[:20] for one in log.take()]


def test_what_was_taken_is_gone():
    log = new_log()
    log.debug(SAYS, "a")
    log.take()
    assert [] == log.take()


def test_every_message_has_a_place_in_the_source():
    table = [one for one in vars(Messages).values() if isinstance(one, Message)]
    assert [] == [one for one in table if one.line < 1 or not one.module]


def test_values_fill_the_placeholders():
    log = new_log()
    log.info(Messages.has_shutdown, "web", 3, "poweroff")
    assert log.take()[0].endswith(" Domain has shutdown: name=web id=3 reason=poweroff.")


def test_a_value_with_a_percent_sign_is_taken_as_it_is():
    log = new_log()
    log.debug(Messages.create, "(name 100%d)")
    assert log.take()[0].endswith(" XendDomainInfo.create((name 100%d))")


def test_messages_beyond_the_bound_are_counted_and_told():
    log = new_log(max_entries=2)
    for text in "abcde":
        log.debug(SAYS, text)
    texts = [line.split(") ", 1)[1] for line in log.take()]
    assert ["a", "b", "3 messages were dropped: they came too fast"] == texts


def test_a_drop_is_told_once():
    log = new_log(max_entries=0)
    log.debug(SAYS, "a")
    log.take()
    assert [] == log.take()


def test_a_long_text_is_cut_and_says_so():
    log = new_log()
    log.debug(SAYS, "x" * (MAX_TEXT + 5))
    assert log.take()[0].endswith("xxx... (5 characters left out)")
