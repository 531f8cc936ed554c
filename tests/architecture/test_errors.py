"""Trees of errors, the host's, its agent's and the profiler's, hold every exception of ours."""

import importlib
import pkgutil
import re

import pytest

import hypervisor.errors
import hypervisor.live.agent.errors
import xenprof.errors
from hypervisor.errors import HostError
from hypervisor.live.agent.errors import AgentError
from xenprof.errors import XenprofError

PACKAGES = ("hypervisor", "xenprof", "exporters", "dashboards")
ROW = re.compile(r"^ {4}( *)(\w+)(?: +exit (\d+))?(?:(?:,| ) *HTTP (\d+))?(?: {2,}.*)?$")


def classes():
    """Return every exception class that a module of the project defines."""
    found = set()
    for package in PACKAGES:
        paths = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(paths, package + "."):
            if module.name.endswith("__main__"):
                continue
            members = vars(importlib.import_module(module.name)).values()
            found |= {
                one
                for one in members
                if isinstance(one, type)
                and issubclass(one, BaseException)
                and one.__module__ == module.name
            }
    return found


def drawn(root, below=""):
    """Return a tree of classes as indented lines."""
    lines = [below + root.__name__]
    for one in sorted(root.__subclasses__(), key=lambda one: one.__name__):
        lines += drawn(one, below + "  ")
    return lines


def test_no_exception_of_ours_stands_outside_the_tree_of_its_package():
    found = classes()
    outside = sorted(
        f"{one.__module__}.{one.__name__}" for one in found if not issubclass(one, root_of(one))
    )

    assert outside == [], "\n".join(drawn(HostError) + drawn(AgentError) + drawn(XenprofError))


def root_of(one):
    if one.__module__.startswith("hypervisor.live.agent."):
        return AgentError
    return HostError if one.__module__.startswith("hypervisor.") else XenprofError


def test_every_error_has_an_exit_code_and_an_http_status():
    wrong = [
        one.__name__
        for one in classes()
        if not (0 <= one.exit_code < 256 and 400 <= one.http_status < 600)
    ]

    assert wrong == []


def rows(module):
    """Return (depth, name, exit code, status) of each line of the drawing above a module."""
    drawing = module.__doc__.split("\n\n")[1]
    matches = [ROW.match(line) for line in drawing.splitlines()]
    return [
        (len(one[1]) // 2, one[2], one[3], one[4])
        for one in matches
        if one is not None and isinstance(getattr(module, one[2], None), type)
    ]


@pytest.mark.parametrize(
    "module",
    [hypervisor.errors, hypervisor.live.agent.errors, xenprof.errors],
    ids=lambda one: one.__name__,
)
def test_the_drawing_above_the_tree_is_the_tree(module):
    told = [
        (depth, name, int(code or inherited(module, name, "exit_code")),
         int(status or inherited(module, name, "http_status")))
        for depth, name, code, status in rows(module)
    ]  # fmt: skip
    root = next(iter(rows(module)))[1]
    there = [
        (one.__mro__.index(getattr(module, root)), one.__name__, one.exit_code, one.http_status)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, (HostError, AgentError, XenprofError))
    ]

    assert sorted(told) == sorted(there)


def inherited(module, name, attribute):
    """Return what a class inherits from its base."""
    parent = getattr(module, name).__bases__[0]
    return getattr(parent, attribute, 1 if attribute == "exit_code" else 400)
