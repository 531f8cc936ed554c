import pytest

from xenprof.capture.grammar import disk_of, distinct, legal_name, shown, vif_of


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("web-1.example", "web-1.example"),
        ('a"b', "a_b"),
        ("a\nb", "a_b"),
        ("ü", "_"),
        ("", "domain7"),
        ("x" * 100, "x" * 80),
    ],
)
def test_names_become_legal_and_stay_alike(name, legal):
    assert legal == legal_name(name, "domain7")


def test_a_name_that_is_taken_gets_a_number():
    assert ["web-3", "db"] == [distinct(name, {"web", "web-2"}) for name in ("web", "db")]


def test_a_long_name_stays_legal_with_its_number():
    assert 80 >= len(distinct("x" * 80, {"x" * 80}))


def test_texts_of_a_host_are_shown_in_one_line():
    assert r"'a\nb\x1b\xfc'" == shown("a\nb\x1bü")


def test_long_texts_of_a_host_are_cut():
    assert 130 > len(shown("x" * 10_000))


def test_entries_that_scenarios_do_not_know_are_none():
    assert (None, None) == (disk_of("qdisk:/x,xvda,w"), vif_of("mac=1"))
