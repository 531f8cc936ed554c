import pytest

from hypervisor.ownfiles import make_folder, opener, place_below


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("a/b", "a/b"),
        ("/a/b", "a/b"),
        ("//a//b/", "a/b"),
        ("../../etc/passwd", "etc/passwd"),
        ("/a/../../../b", "b"),
        ("..", ""),
        ("", ""),
    ],
)
def test_no_path_leads_out(tmp_path, path, place):
    assert place_below(tmp_path, path) == tmp_path / place


@pytest.mark.parametrize("path", ["link", "link/file", "folder/link", "link/../link"])
def test_a_symbolic_link_is_refused_wherever_it_is(tmp_path, path):
    (tmp_path / "folder").mkdir()
    for link in ("link", "folder/link"):
        (tmp_path / link).symlink_to("/tmp")

    with pytest.raises(OSError, match="symbolic link, which is not followed"):
        place_below(tmp_path, path)


def test_the_folder_itself_may_be_reached_by_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "top").symlink_to("real")

    assert place_below(tmp_path / "top", "a") == tmp_path / "top/a"


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_an_impossible_name_is_an_error_of_the_system(tmp_path, path):
    with pytest.raises(OSError, match="not a possible file name"):
        place_below(tmp_path, path)


def test_a_folder_is_not_made_through_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "home/domains").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic link"):
        make_folder(tmp_path / "home", tmp_path / "home/domains/a")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_is_not_written_through_a_link(tmp_path):
    (tmp_path / "theirs").write_text("kept")
    (tmp_path / "log").symlink_to("theirs")

    with pytest.raises(OSError, match="symbolic links"):
        open(tmp_path / "log", "a", opener=opener)  # noqa: SIM115 - it is not opened
    assert (tmp_path / "theirs").read_text() == "kept"
