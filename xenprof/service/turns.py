"""Gives tasks turns, one at a time, and those first whose networks wait least for one."""

import asyncio
from dataclasses import dataclass

from hypervisor.live.agent.web.turns import Networks, networks_of


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    networks: Networks
    turn: asyncio.Future[bool]
    """Done when there is a turn, or there will be none."""


class Turns:
    """A queue with few places. Where they are taken, the networks that are most in it make room.

    So who has few networks, however many addresses, keeps nobody of another one out.
    """

    def __init__(self, places: int) -> None:
        """Nobody has a turn yet."""
        self._places = places
        self._waiting: list[_Waiting] = []
        self._is_taken = False

    async def take(self, address: str) -> bool:
        """Wait for a turn, after which the caller must `leave`; return False if there is none."""
        if not self._is_taken:
            self._is_taken = True
            return True
        me = _Waiting(networks_of(address), asyncio.get_running_loop().create_future())
        self._waiting.append(me)
        if len(self._waiting) + 1 > self._places:
            self._answer(max(reversed(self._waiting), key=self._load), has_turn=False)
        try:
            return await me.turn
        except asyncio.CancelledError:  # the client has gone
            if me in self._waiting:
                self._waiting.remove(me)
            elif me.turn.done() and not me.turn.cancelled() and me.turn.result():
                self.leave()
            raise

    def leave(self) -> None:
        """Let the next one have a turn."""
        self._is_taken = bool(self._waiting)
        if self._waiting:
            self._answer(min(self._waiting, key=self._load), has_turn=True)

    def _answer(self, one: _Waiting, *, has_turn: bool) -> None:
        self._waiting.remove(one)
        if not one.turn.done():
            one.turn.set_result(has_turn)
        elif has_turn:  # it was cancelled and has not yet been told
            self.leave()

    def _load(self, one: _Waiting) -> list[int]:
        """Return how many wait, by network; of equals the one is first who came first."""
        return [
            sum(network in other.networks for other in self._waiting) for network in one.networks
        ]
