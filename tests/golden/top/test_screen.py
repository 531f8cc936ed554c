"""xentop's screen as text, with the attributes of each line below it."""

from pathlib import Path

import pytest

from tests.support.talk_host import HOST
from tests.support.xentop_screen import SMALL, WIDE, Service, later, look
from xenprof.xentop.view import View

EXPECTED = Path(__file__).parent / "expected"
ALL = View(networks=True, vbds=True, vcpus=True, repeats_head=True)

SCREENS = {
    "small": ((), SMALL, View()),
    "small-right": (["right"] * 9, SMALL, View()),
    "small-details": ((), SMALL, ALL),
    "small-prompt": (["d", "1", "0"], SMALL, View()),
    "wide-by-cpu": ("s", WIDE, View(sort=2)),
    "wide-details": ((), WIDE, ALL),
}


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_looks_as_it_always_did(name, update_golden):
    keys, size, view = SCREENS[name]
    service = Service(HOST, later(HOST, 3, DesktopVM=1.5, ossvm02=6))
    drawn = look("x", *keys, service=service, size=size, view=view).drawn()

    path = EXPECTED / f"{name}.txt"
    if update_golden:
        path.write_text(drawn, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == drawn
