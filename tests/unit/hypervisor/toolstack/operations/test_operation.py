import pytest

from hypervisor.errors import Refused
from hypervisor.toolstack.operations.operation import Operation


class Chain(Operation):
    """An operation of two steps, 5 ns apart; either can be made to fail."""

    def __init__(self, bench, fails_at=""):
        super().__init__(bench.context, "chain")
        self.fails_at = fails_at
        self.did = []

    def first(self):
        self._do("first")
        self.after(5, self.second)

    def second(self):
        self._do("second")
        self.finish("result")

    def undo(self):
        self.did.append("undo")

    def _do(self, name):
        self.did.append(name)
        if self.fails_at == name:
            raise Refused(f"{name} failed")


def test_it_is_not_over_while_steps_are_to_come(bench):
    chain = Chain(bench)
    chain.begin(chain.first)

    assert not chain.is_done
    with pytest.raises(RuntimeError):
        chain.result()


def test_its_result_is_what_the_last_step_gave(bench):
    chain = Chain(bench)
    chain.begin(chain.first)
    bench.clock.run_until(bench.clock.now + 5)

    assert (chain.is_done, chain.result(), chain.did) == (True, "result", ["first", "second"])


def test_a_first_step_that_fails_raises_where_it_was_asked_for(bench):
    chain = Chain(bench, "first")

    with pytest.raises(Refused, match="first failed"):
        chain.begin(chain.first)
    assert chain.is_done


def test_a_later_step_that_fails_is_undone_and_raised_with_the_result(bench):
    chain = Chain(bench, "second")
    chain.begin(chain.first)
    bench.clock.run_until(bench.clock.now + 5)

    assert chain.did == ["first", "second", "undo"]
    with pytest.raises(Refused, match="second failed"):
        chain.result()


def test_nothing_more_happens_once_it_has_failed(bench):
    chain = Chain(bench)
    chain.begin(chain.first)
    chain.fail(Refused("given up"))
    bench.clock.run_until(bench.clock.now + 5)

    assert chain.did == ["first", "undo"]


def test_it_fails_only_once(bench):
    chain = Chain(bench)
    chain.fail(Refused("one"))
    chain.fail(Refused("two"))

    assert chain.did == ["undo"]
    with pytest.raises(Refused, match="one"):
        chain.result()


@pytest.mark.parametrize("fails_at", ["", "second"])
def test_a_follower_is_called_once_when_it_is_over(bench, fails_at):
    chain = Chain(bench, fails_at)
    over: list[object] = []
    chain.follow(over.append)
    chain.begin(chain.first)
    before = list(over)
    bench.clock.run_until(bench.clock.now + 5)

    assert (before, over) == ([], [chain])


def test_who_follows_late_is_called_at_once(bench):
    chain = Chain(bench)
    over: list[object] = []
    chain.finish()
    chain.follow(over.append)

    assert over == [chain]


def test_an_error_of_undo_does_not_hide_that_it_is_over(bench, monkeypatch):
    chain = Chain(bench)
    monkeypatch.setattr(chain, "undo", lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        chain.fail(Refused("one"))
    assert chain.is_done
