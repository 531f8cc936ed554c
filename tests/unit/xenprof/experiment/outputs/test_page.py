"""The picture and the page."""

import re
from xml.etree import ElementTree

import pytest

from tests.support.variants import SMALL, found_of, found_small, loaded
from xenprof.experiment.outputs.chart import as_svg
from xenprof.experiment.outputs.page import as_html

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def svg(tmp_path_factory):
    return as_svg(found_small(tmp_path_factory.mktemp("small")))


def test_a_picture_has_a_title_and_says_what_it_shows(svg):
    root = ElementTree.fromstring(svg[svg.index("<svg") :])

    assert "img" == root.get("role")
    assert "Caps & weights" == root.findtext(f"{SVG}title")
    assert "of uncapped: 55 %" in str(root.findtext(f"{SVG}desc"))


def test_a_picture_takes_the_colour_of_its_surroundings(svg):
    assert "currentColor" in svg
    assert "prefers-color-scheme:dark" in svg
    assert "#010203" not in svg


def test_a_picture_has_the_same_bytes_again_and_no_date(svg, tmp_path):
    assert svg == as_svg(found_small(tmp_path))
    assert "<dc:date>" not in svg


def test_pieces_of_time_and_a_single_variant_have_pictures_too(tmp_path):
    text = SMALL.replace("seeds = 2", "seeds = 1\nevery_s = 0.03")
    found = found_of(loaded(tmp_path, text), {(0, 1): [[1.0], [2.0]], (1, 1): [[3.0], [4.0]]})

    assert "time_s" in as_svg(found)


def test_findings_without_a_run_have_a_picture(tmp_path):
    assert "<svg" in as_svg(found_of(loaded(tmp_path), {}))


def test_a_page_has_picture_table_and_sentences_and_loads_nothing(svg, tmp_path):
    page = as_html(found_small(tmp_path), svg)

    assert "<h1>Caps &amp; weights</h1>" in page
    assert "The talk: Less than half." in page
    assert '<th scope="row">50</th><td class="number">52</td>' in page
    assert "color-scheme: light dark" in page
    assert [] == re.findall(r'(?:src|href)="(?!#)[^"]*"', page.replace("xlink:href", "href"))
    assert "<script" not in page


def test_texts_of_a_file_are_no_markup(tmp_path):
    text = SMALL.replace("Caps & weights", "<script>alert(1)</script>").replace(
        '"ran"', '"<b>ran</b>"'
    )
    found = found_of(loaded(tmp_path, text), {})
    page = as_html(found, as_svg(found))

    assert "<script" not in page
    assert "<b>" not in page
