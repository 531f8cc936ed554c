"""A scenario that is no use is told in one line that can be read."""

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.scenario.spec import parse_scenario
from hypervisor.model.scenario.table import first_again


def refused(text):
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(text, "file")
    return str(refusal.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"[host]\nseed = 0x{'f' * 5000}", "file: seed: the number is too large for TOML (64 bits)"),
        (f"[host]\ncpu = [[0x{'f' * 5000}]]", "file: cpu: the number is too large for TOML (64 bits)"),
        (f"[host]\nseed = {'9' * 5000}", "file: not TOML: a number has too many digits"),
        (f"[host]\nname = {'[' * 5000}", "file: not TOML: nested too deep"),
        (f"[{'a.' * 100000}a]", "file: not TOML: nested too deep"),
        ('"a\\n" = 1', r"file: unknown key 'a\n'; allowed: host, domain0, domain"),
        ('[[domain]]\nname = "a\\u001b"', r"file: domain[a\x1b].name: Invalid VM Name 'a\x1b'; use letters, digits and _-.:/+"),
        ('[[domain]]\nname = "d%d"\ncount = 600\n[[domain]]\nname = "e%d"\ncount = 401', "file: domain: 1000 domains are the most"),
    ],
)  # fmt: skip
def test_what_a_file_cannot_hold_is_one_line(text, said):
    assert said == refused(text)


def test_a_value_of_a_megabyte_is_cut_out_of_the_message():
    message = refused(f'[[domain]]\nname = "a"\ndisk = ["{"x" * 10**6}"]')
    assert message.startswith("file: domain[a].disk: Invalid disk specifier: xxx")
    assert len(message) < 2100


def test_more_disks_than_a_guest_has_names_for_are_refused():
    disks = ", ".join(f'"phy:vg0/v{n},{n},w"' for n in range(257))
    message = refused(f'[[domain]]\nname = "a"\ndisk = [{disks}]')
    assert message == "file: domain[a].disk: 256 disks are the most"


@pytest.mark.parametrize(("names", "again"), [("abc", ""), ("abcba", "b"), ("", "")])
def test_the_first_name_that_stands_twice_is_told(names, again):
    assert again == first_again(names)
