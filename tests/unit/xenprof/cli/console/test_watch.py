"""What the console notices while its user is at the prompt."""

import signal

import pytest

from tests.support.console_guest import FakeService, domain, guest
from xenprof.cli.console.guest import DomainGoneError
from xenprof.cli.console.watch import GuestSpokeError, Watch


def typing():
    return "hostn"


def test_the_guests_lines_are_told_once():
    service = FakeService(console="a\n")
    watch = Watch(guest(service))
    first = watch.look()
    service.text = "a\nb\n"

    assert ("a\n", "b\n", "") == (first, watch.look(), watch.look())


@pytest.mark.parametrize("left", [[], [domain(4, "web")], [domain(3, "web", "dying")]])
def test_a_domain_is_known_by_its_id(left):
    service = FakeService()
    watch = Watch(guest(service))
    service.domains = [domain(0, "Domain-0"), *left]

    with pytest.raises(DomainGoneError):
        watch.look()


def test_what_is_written_interrupts_the_reading_with_what_was_typed():
    watch = Watch(guest(FakeService(console="a\n")))

    with pytest.raises(GuestSpokeError) as spoke, watch.polling(typing):
        signal.raise_signal(signal.SIGALRM)

    assert ("a\n", "hostn") == (spoke.value.text, spoke.value.typed)


def test_silence_interrupts_nothing():
    watch = Watch(guest(FakeService(console="")))

    with watch.polling(typing):
        signal.raise_signal(signal.SIGALRM)


def test_nothing_is_left_of_the_timer():
    before = signal.getsignal(signal.SIGALRM)
    with Watch(guest()).polling(typing):
        pass

    assert (before, (0.0, 0.0)) == (
        signal.getsignal(signal.SIGALRM),
        signal.getitimer(signal.ITIMER_REAL),
    )
