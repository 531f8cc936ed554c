"""xm top: xentop, in a terminal or in batch mode."""

import sys
from itertools import chain, repeat

from xenprof.cli.terminal import has_terminal
from xenprof.cli.xm.command import Command, Option, Words, XmError, integer
from xenprof.client import Client
from xenprof.wire.host_requests import Wait
from xenprof.xentop.fetch import ANSWER_SECONDS, newest
from xenprof.xentop.forms import xentop_form
from xenprof.xentop.span import Span
from xenprof.xentop.table import table
from xenprof.xentop.view import DEFAULT_DELAY_SECONDS, View, parse_delay

ITERATIONS = "-i N is the number of iterations, such as -i 1; -n shows networks"
"""What is told after a number that no option takes."""


def run_top(
    client: Client, words: Words, program: str, usage: str, *, has_full_names: bool = False
) -> int:
    """Show the host and its domains as `program`, whose help is `usage`; return the exit code."""
    if words.has("h"):
        print(usage)
        return 0
    if words.has("V"):
        print("xentop 1.0")
        return 0
    delay_seconds = _delay(words.value("d"))
    iterations = integer(words.value("i") or "0")
    view = View(
        networks=words.has("n"),
        vbds=words.has("x"),
        vcpus=words.has("v"),
        repeats_head=words.has("r"),
        has_full_names=has_full_names,
    )
    if words.has("b"):
        return _batch(client, view, delay_seconds, iterations)
    if not has_terminal():
        print(f"{program}: not a terminal; use -b", file=sys.stderr)
        return 1
    return _screen(client, view, delay_seconds, iterations)


def _screen(client: Client, view: View, delay_seconds: float, iterations: int) -> int:
    clients = chain((client,), repeat(Client(client.home, ANSWER_SECONDS)))
    from xenprof.xentop.feed import LiveFeed

    feed = LiveFeed(lambda: newest(next(clients)))
    first = feed.look(is_due=False)  # without a service this fails before the screen is shown
    from xenprof.xentop.faces import xentop_face  # Textual takes longer to import than xm to run
    from xenprof.xentop.screen import Pace, run

    pace = Pace(delay_seconds, iterations if iterations > 0 else None)
    return run(xentop_face(first.now, view), feed, first, view, pace)


def _batch(client: Client, view: View, delay_seconds: float, iterations: int) -> int:
    """Print `iterations` tables (0 or less = without end), a delay of model time apart."""
    span = form = None
    done = 0
    while iterations <= 0 or done < iterations:
        if done:
            client.do(Wait(delay_seconds))
        now = newest(client)
        span = span.then(now) if span else Span(now)
        form = (form or xentop_form(now, view)).holding(now)
        print("\n".join(line.text for line in table(span, view, form)), flush=True)
        done += 1
    if span and span.now.tools == "3.0.3":  # 3.1 exits at once. Source: xentop.c, main
        client.do(Wait(delay_seconds))
    return 0


def _delay(text: str | None) -> float:
    if text is None:
        return DEFAULT_DELAY_SECONDS
    try:
        return parse_delay(text)
    except ValueError as error:
        raise XmError(str(error)) from None


def _help(choices: tuple[Option, ...]) -> str:
    """Return the usage, as xentop prints it."""
    values = {option: f"={option.value}" if option.value else "" for option in choices}
    options = [f"-{o.short}, --{o.long + value:<14} {o.help}" for o, value in values.items()]
    return "\n".join(
        [
            "Usage: xm top [OPTION]",
            "Displays ongoing information about xen vm resources ",
            "",
            *options,
        ]
    )


TOP = Command(
    "top",
    "[options]",
    "Monitor a host and the domains in real time.",
    lambda client, words: run_top(client, words, "xm top", _help(words.options)),
    options=(
        Option("h", "help", "display this help and exit"),
        Option("V", "version", "output version information and exit"),
        Option("d", "delay", "seconds between updates (default 3)", "SECONDS"),
        Option("n", "networks", "output vif network data"),
        Option("x", "vbds", "output vbd block device data"),
        Option("r", "repeat-header", "repeat table header before each domain"),
        Option("v", "vcpus", "output vcpu data"),
        Option("b", "batch", "output in batch mode, no user input accepted"),
        Option("i", "iterations", "number of iterations before exiting", "N"),
    ),
)
