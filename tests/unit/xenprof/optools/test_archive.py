from pathlib import Path

import pytest

from tests.support.compiled_sessions import FIXTURES, write_domain
from xenprof.cli.oparchive import main
from xenprof.cli.opreport import main as opreport


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XENPROF_HOME", str(tmp_path / "home"))
    root = Path(tmp_path, "home", "domains", "Domain-0")
    write_domain(root)
    return root


def report(capsys, *words: str) -> list[str]:
    capsys.readouterr()
    assert opreport(["-l", *words]) == 0
    return str(capsys.readouterr().out).splitlines()


@pytest.mark.parametrize("session", ["demo", "separated", "calls", "unknown", "per-cpu"])
def test_a_report_of_the_archive_is_the_report_of_the_domain(session, root, tmp_path, capsys):
    before = report(capsys, f"session:{session}")
    assert main(["-o", str(tmp_path / "a"), f"session:{session}"]) == 0
    assert before == report(capsys, f"archive:{tmp_path}/a", f"session:{session}")


def test_images_keep_their_times(root, tmp_path) -> None:
    main(["-o", str(tmp_path / "a")])
    times = [(top / "usr/bin/demo").stat().st_mtime_ns for top in (root, tmp_path / "a")]
    assert times[0] == times[1]


def test_only_selected_images_are_copied(root, tmp_path) -> None:
    main(["-o", str(tmp_path / "a"), "session:separated", "lib-image:/lib64/*"])
    files = [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert ["libc-2.5.so"] == [
        path.name
        for path in files
        if "{" not in str(path) and "var" not in path.parts and path.name != "demo"
    ]


def test_statistics_stacks_and_logs_come_along(root, tmp_path) -> None:
    session_dir = root / "var/lib/oprofile"
    current = "samples/current"
    names = [f"{current}/stats/cpu0/sample_lost_overflow", f"{current}/stacks/stacks.xps"]
    names += ["samples/oprofiled.log", "abi"]
    for name in names:
        (session_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (session_dir / name).write_text("3\n")
    main(["-o", str(tmp_path / "a")])
    copied = tmp_path / "a/var/lib/oprofile"
    assert ["3\n"] * 4 == [(copied / name).read_text() for name in names]


def test_a_separate_debug_file_lies_where_it_will_be_found(root, tmp_path) -> None:
    (root / "usr/bin/demo").write_bytes((FIXTURES / "stripped").read_bytes())
    debug = root / "usr/lib/debug/usr/bin"
    debug.mkdir(parents=True)
    (debug / "demo.debug").write_bytes((FIXTURES / "demo.debug").read_bytes())
    main(["-o", str(tmp_path / "a")])
    assert (debug / "demo.debug").read_bytes() == (
        tmp_path / "a/usr/bin/.debug/demo.debug"
    ).read_bytes()


def test_a_debug_file_of_another_build_is_left_out(root, tmp_path) -> None:
    (root / "usr/bin/demo").write_bytes((FIXTURES / "stripped").read_bytes())
    (root / "usr/bin/demo.debug").write_bytes((FIXTURES / "demo").read_bytes())
    main(["-o", str(tmp_path / "a")])
    assert not (tmp_path / "a/usr/bin/.debug").exists()


def test_an_archive_is_brought_up_to_date(root, tmp_path) -> None:
    for session in ("kernel", "demo"):
        main(["-o", str(tmp_path / "a"), f"session:{session}"])
    sessions = sorted(p.name for p in (tmp_path / "a/var/lib/oprofile/samples").iterdir())
    assert ["demo", "kernel"] == sessions


def test_the_source_survives_an_archive_onto_itself(root, capsys) -> None:
    before = (root / "usr/bin/demo").read_bytes()
    assert main(["-o", str(root)]) == 1
    assert before == (root / "usr/bin/demo").read_bytes()


def test_listing_makes_nothing(root, tmp_path) -> None:
    main(["-l", "-o", str(tmp_path / "a")])
    assert not (tmp_path / "a").exists()


def test_an_image_found_by_image_path_keeps_that_path(root, tmp_path, capsys) -> None:
    extra = tmp_path / "extra"
    extra.mkdir()
    (extra / "no-vmlinux").write_bytes((FIXTURES / "demo").read_bytes())
    main(["-l", "-p", str(extra), "session:unknown"])
    assert f"{extra}/no-vmlinux" in capsys.readouterr().out.splitlines()


def test_a_link_out_of_the_archive_is_not_followed(root, tmp_path, capsys) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a" / "usr").symlink_to(tmp_path / "elsewhere")
    code = main(["-o", str(tmp_path / "a")])
    assert (1, []) == (code, list((tmp_path / "elsewhere").iterdir()))
