import pytest

from hypervisor.errors import Refused
from hypervisor.model.timing.clock import Clock
from hypervisor.toolstack.operations.operation import Operation


class Chain(Operation):
    """An operation of two steps, 5 ns apart; either can be made to fail."""

    def __init__(self, clock, fails_at=""):
        super().__init__(clock)
        self.fails_at = fails_at
        self.steps = []

    def first(self):
        self._do("first")
        self.after(5, self.second)

    def second(self):
        self._do("second")
        self.finish("result")

    def undo(self):
        self.steps.append("undo")

    def _do(self, name):
        self.steps.append(name)
        if self.fails_at == name:
            raise Refused(f"{name} failed")


@pytest.fixture
def clock():
    return Clock()


def test_it_is_not_over_while_steps_are_to_come(clock):
    chain = Chain(clock)
    chain.begin(chain.first)

    assert not chain.is_done
    with pytest.raises(RuntimeError):
        chain.result()


def test_its_result_is_what_the_last_step_gave(clock):
    chain = Chain(clock)
    chain.begin(chain.first)
    clock.run_until(5)

    assert (chain.is_done, chain.result(), chain.steps) == (True, "result", ["first", "second"])


def test_a_first_step_that_fails_raises_where_it_was_asked_for(clock):
    chain = Chain(clock, "first")

    with pytest.raises(Refused, match="first failed"):
        chain.begin(chain.first)
    assert chain.is_done


def test_a_later_step_that_fails_is_undone_and_raised_with_the_result(clock):
    chain = Chain(clock, "second")
    chain.begin(chain.first)
    clock.run_until(5)

    assert chain.steps == ["first", "second", "undo"]
    with pytest.raises(Refused, match="second failed"):
        chain.result()


def test_nothing_more_happens_once_it_has_failed(clock):
    chain = Chain(clock)
    chain.begin(chain.first)
    chain.fail(Refused("given up"))
    clock.run_until(5)

    assert chain.steps == ["first", "undo"]


def test_it_fails_only_once(clock):
    chain = Chain(clock)
    chain.fail(Refused("one"))
    chain.fail(Refused("two"))

    assert chain.steps == ["undo"]
    with pytest.raises(Refused, match="one"):
        chain.result()


@pytest.mark.parametrize("fails_at", ["", "second"])
def test_a_follower_is_called_once_when_it_is_over(clock, fails_at):
    chain = Chain(clock, fails_at)
    over: list[object] = []
    chain.follow(over.append)
    chain.begin(chain.first)
    before = list(over)
    clock.run_until(5)

    assert (before, over) == ([], [chain])


def test_who_follows_late_is_called_at_once(clock):
    chain = Chain(clock)
    over: list[object] = []
    chain.finish()
    chain.follow(over.append)

    assert over == [chain]


def test_an_error_of_undo_does_not_hide_that_it_is_over(clock, monkeypatch):
    chain = Chain(clock)
    monkeypatch.setattr(chain, "undo", lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        chain.fail(Refused("one"))
    assert chain.is_done
