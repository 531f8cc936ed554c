import logging

import pytest

from xenprof.service.sparing_log import TEXTS_PER_PLACE, SparingHandler


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def log(kept, clock):
    log = logging.Logger("test")  # known to nobody else
    log.addHandler(SparingHandler(kept, clock))
    return log


def test_a_text_is_written_once_a_minute(log, kept):
    for _ in range(1000):
        log.warning("no")

    assert kept.texts == ["no"]


def test_after_the_minute_it_is_told_how_often_it_was_left_out(log, kept, clock):
    for _ in range(1000):
        log.warning("no")
    clock.now = 61
    log.warning("yes")

    assert kept.texts == ["no", "999 more in 61 s: no", "yes"]


def test_what_goes_on_is_one_line_a_minute(log, kept, clock):
    for second in range(181):
        clock.now = second
        log.warning("no")

    assert kept.texts == [
        "no",
        "59 more in 60 s: no",
        "60 more in 60 s: no",
        "60 more in 60 s: no",
    ]


def test_other_texts_are_written_meanwhile(log, kept):
    log.warning("disk %s", "a")
    log.warning("disk %s", "b")

    assert kept.texts == ["disk a", "disk b"]


def test_a_text_may_come_again_after_a_minute(log, kept, clock):
    log.warning("no")
    clock.now = 60
    log.warning("no")

    assert kept.texts == ["no", "no"]


def test_one_place_writes_a_number_of_different_texts_a_minute(log, kept):
    for number in range(1000):
        log.warning("%d", number)

    assert len(kept.texts) == TEXTS_PER_PLACE + 1


def test_the_texts_left_out_are_counted_together(log, kept, clock):
    for number in range(1000):
        log.warning("path %d", number)
    clock.now = 60
    log.warning("end")

    assert kept.texts[-2:] == [f"{999 - TEXTS_PER_PLACE} more in 60 s: path %d", "end"]


def test_a_place_may_write_again_after_the_minute(log, kept, clock):
    for number in range(1000):
        log.warning("path %d", number)
    clock.now = 130
    log.warning("path")
    clock.now = 260
    log.warning("path %d", 5)

    assert kept.texts[-1] == "path 5"


def test_a_record_that_cannot_be_written_is_no_error_of_the_program(log, kept, capsys):
    log.warning("%d", "no number")

    assert kept.texts == []
    assert "TypeError" in capsys.readouterr().err
