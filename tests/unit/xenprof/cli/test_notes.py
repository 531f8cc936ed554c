import pytest

from tests.support.talk_host import FakeClient
from xenprof.cli.notes import note, note_nearest, note_what_was_meant

DOMAINS = ("Domain-0", "DesktopVM")


def test_a_note_is_a_line_on_standard_error(capsys):
    note("so it is")

    assert capsys.readouterr() == ("", "note: so it is\n")


def test_the_nearest_word_is_asked_for_as_it_is_typed(capsys):
    note_nearest("symbls", ["symbols", "sort"], "--{}")

    assert capsys.readouterr().err == "note: did you mean --symbols?\n"


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("Domain 'DesktpVM' does not exist.", "DesktopVM"),
        ("failed to get domain 'Domain0'", "Domain-0"),
        ('No such event "GLOBAL_POWR_EVENTS"', "GLOBAL_POWER_EVENTS"),
    ],
)
def test_a_domain_or_an_event_that_is_near_is_told(capsys, message, meant):
    note_what_was_meant(message, domains=DOMAINS)

    assert capsys.readouterr().err == f"note: did you mean {meant}?\n"


@pytest.mark.parametrize(
    "message", ["Domain 'nobody' does not exist.", 'No such event "X"', "no such file"]
)
def test_nothing_is_guessed_where_nothing_is_near(capsys, message):
    note_what_was_meant(message, domains=DOMAINS)

    assert capsys.readouterr().err == ""


def test_domains_are_those_of_a_home(capsys, tmp_path):
    (tmp_path / "domains").mkdir()
    (tmp_path / "domains/.ids").write_text('{"0": "Domain-0", "1": "web"}')
    note_what_was_meant("Domain 'wbe' does not exist.", tmp_path)

    assert capsys.readouterr().err == "note: did you mean web?\n"


@pytest.fixture
def service(monkeypatch):
    """Let a service answer for the host of the talk, whatever the HOME."""
    monkeypatch.setattr("xenprof.client.Client", lambda home, patience: FakeClient())


def test_for_an_id_that_no_domain_has_those_that_run_are_told(capsys, service):
    note_what_was_meant("Domain '4' does not exist.")

    assert capsys.readouterr().err == (
        "note: the domains that run are Domain-0 (0), WinDoof (3), DesktopVM (5), ossvm02 (6), r5b2-mySQL01 (13)\n"
    )


def test_without_a_service_no_domains_are_told(capsys, tmp_path):
    note_what_was_meant("Domain '4' does not exist.", tmp_path)

    assert capsys.readouterr().err == ""


def test_for_names_where_ids_are_wanted_the_ids_are_told(capsys, service):
    note_what_was_meant("active_domains: '0,DesktopVM,osvm02' is not a list of domain ids")

    assert capsys.readouterr().err == (
        "note: the id of DesktopVM is 5\nnote: did you mean ossvm02?\n"
    )
