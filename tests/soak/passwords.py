"""Guesses passwords from 64 threads while a user scrapes."""

import threading
from collections import Counter
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.support.e2e.served import PASSWORD, Served, configuration
from tests.support.service_fakes import basic

ATTACKERS = 64
SCRAPES = 300
COST = 12
MEDIAN_LIMIT_MS = 50.0


def run(folder: Path) -> str:
    """Scrape while every attacker sends one wrong password after the other."""
    answers: Counter[int] = Counter()
    is_over = threading.Event()
    with closing(Served(folder, configuration(COST))) as served:

        def attack(number: int) -> None:
            guess = 0
            while not is_over.is_set():
                guess += 1
                try:
                    answers[_scrape(served, f"{number}-{guess}")] += 1
                except OSError:  # a connection too many
                    answers[0] += 1

        first = _scrape(served, PASSWORD)
        threads = [
            threading.Thread(target=attack, args=(n,), daemon=True) for n in range(ATTACKERS)
        ]
        for thread in threads:
            thread.start()
        took_ms, statuses = _scraped(served)
        is_over.set()
        for thread in threads:
            thread.join()
    assert {first, *statuses} == {200}, f"a right password got {Counter(statuses)}"
    assert 200 not in answers, f"a wrong password got {answers}"
    figures = f"median {median(took_ms):.0f} ms, longest {max(took_ms):.0f} ms"
    assert median(took_ms) < MEDIAN_LIMIT_MS, figures
    return f"{SCRAPES} scrapes, {figures}; {sum(answers.values())} guesses: {dict(answers)}"


def _scraped(served: Served) -> tuple[list[float], list[int]]:
    took_ms, statuses = [], []
    for _ in range(SCRAPES):
        started = perf_counter()
        statuses.append(_scrape(served, PASSWORD))
        took_ms.append((perf_counter() - started) * 1000)
    return took_ms, statuses


def _scrape(served: Served, password: str) -> int:
    return served.status("GET", "/metrics", basic("ann", password))
