"""Turns of tasks: who waits, who makes room, and who has gone."""

import asyncio
from collections.abc import Callable, Coroutine

from xenprof.service.turns import Turns


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Crowd:
    """Tasks that want turns, in the order in which they come; one has them from the start."""

    def __init__(self, places: int = 4) -> None:
        self.turns = Turns(places)
        self.served: list[str] = []
        self.refused: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, *addresses: str) -> None:
        for address in addresses:
            self.tasks.append(asyncio.create_task(self._ask(address)))
            await settled()

    async def _ask(self, address: str) -> None:
        if not await self.turns.take(address):
            self.refused.append(address)
            return
        self.served.append(address)
        self.turns.leave()


def crowded(play: Callable[[Crowd], Coroutine[None, None, None]], places: int = 4) -> Crowd:
    """Return a crowd that has done what `play` says, when all have had their turns."""

    async def all_of_it() -> Crowd:
        crowd = Crowd(places)
        assert await crowd.turns.take("203.0.113.1")
        await play(crowd)
        crowd.turns.leave()
        await settled()
        return crowd

    return asyncio.run(all_of_it())


def test_turns_are_given_as_they_come() -> None:
    async def play(crowd: Crowd) -> None:
        await crowd.come("192.0.2.1", "192.0.2.1", "192.0.2.1")

    assert ["192.0.2.1"] * 3 == crowded(play).served


def test_the_network_that_takes_most_places_makes_room() -> None:
    async def play(crowd: Crowd) -> None:
        await crowd.come("10.9.0.1", "10.9.1.1", "10.9.2.1", "192.0.2.1")

    crowd = crowded(play)
    assert ("192.0.2.1", ["10.9.2.1"]) == (crowd.served[0], crowd.refused)


def test_one_that_has_gone_gives_its_place_back() -> None:
    async def play(crowd: Crowd) -> None:
        await crowd.come("10.9.0.1", "10.9.1.1", "10.9.2.1")
        crowd.tasks[0].cancel()
        await crowd.come("192.0.2.1")

    crowd = crowded(play)
    assert (["192.0.2.1", "10.9.1.1", "10.9.2.1"], []) == (crowd.served, crowd.refused)


def test_one_that_goes_at_the_moment_of_its_turn_gives_it_on() -> None:
    async def play(crowd: Crowd) -> None:
        await crowd.come("10.9.0.1", "192.0.2.1")
        crowd.turns.leave()  # the turn is the first one's
        crowd.tasks[0].cancel()
        await settled()
        assert ["192.0.2.1"] == crowd.served
        assert await crowd.turns.take("203.0.113.1")

    crowded(play)
