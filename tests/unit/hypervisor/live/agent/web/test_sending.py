from hypervisor.live.agent.web.sending import Sending


def started(sending, bodies):
    """Have a sender begin with each body, whose number it has; return who was cut."""
    cut = []
    for number, body in enumerate(bodies):
        sending.begin(number, body, lambda number=number: cut.append(number))
    return cut


def distinct(number):
    return [bytes([which]) * 9 for which in range(number)]


def test_so_many_bodies_are_sent_at_a_time():
    assert [] == started(Sending(3), distinct(3))


def test_one_more_ends_whoever_sends_the_oldest():
    assert [0] == started(Sending(3), distinct(4))


def test_any_number_may_send_the_same_one():
    assert [] == started(Sending(1), [b"same"] * 99)


def test_all_who_send_the_oldest_are_ended():
    first, second = distinct(2)

    assert [0, 1] == started(Sending(1), [first, first, second])


def test_what_is_sent_is_counted_no_longer():
    sending = Sending(1)
    first, second = distinct(2)
    cut = started(sending, [first])
    sending.end(0)
    cut += started(sending, [second])

    assert [] == cut
