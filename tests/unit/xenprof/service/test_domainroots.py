import json
import os

import pytest

from hypervisor.domainfile import DomainFile
from tests.support.fake_host import FakeHost
from xenprof.errors import StoreError
from xenprof.service.domainroots import DomainRoots

XEN = DomainFile("/usr/lib/debug/boot/xen-syms", b"xen", 1174000000)
LIBC = DomainFile("/lib64/libc-2.5.so", b"libc", 1174000000, 0o755)


def rooted(tmp_path, names, **files):
    host = FakeHost(*names)
    host.profiler.files = {name: files.get(name, [XEN]) for name in names}
    roots = DomainRoots(tmp_path)
    roots.sync(host, host.telemetry.snapshot())
    return host, roots


def test_a_file_stands_at_its_absolute_path_below_the_root(tmp_path):
    rooted(tmp_path, ["Domain-0"])

    assert (tmp_path / "domains/Domain-0/usr/lib/debug/boot/xen-syms").read_bytes() == b"xen"


def test_mtime_is_that_of_the_domain_and_the_mode_that_of_its_user(tmp_path):
    rooted(tmp_path, ["web"], web=[LIBC])

    status = (tmp_path / "domains/web/lib64/libc-2.5.so").stat()
    assert (status.st_mode & 0o7777, status.st_mtime) == (0o700, 1174000000)


def test_equal_files_of_two_domains_are_one_file_on_disk(tmp_path):
    rooted(tmp_path, ["a", "b"])

    first, second = (tmp_path / f"domains/{n}/usr/lib/debug/boot/xen-syms" for n in "ab")
    assert first.samefile(second)


def test_equal_content_with_another_mtime_keeps_its_own_mtime(tmp_path):
    older = DomainFile("/x", b"xen", 5)
    rooted(tmp_path, ["a", "b"], a=[XEN], b=[older])

    assert (tmp_path / "domains/b/x").stat().st_mtime == 5


def test_a_name_is_percent_encoded(tmp_path):
    rooted(tmp_path, ["a/b"])

    assert (tmp_path / "domains/a%2Fb").is_dir()


def test_the_ids_are_listed_for_the_programs(tmp_path):
    rooted(tmp_path, ["Domain-0", "web"])

    ids = json.loads((tmp_path / "domains/.ids").read_text())
    assert ids == {"0": "Domain-0", "1": "web"}


def test_a_domain_created_later_gets_its_root(tmp_path):
    host, roots = rooted(tmp_path, ["Domain-0"])
    host.names[1] = "late"
    host.profiler.files["late"] = [LIBC]

    roots.sync(host, host.telemetry.snapshot())

    assert (tmp_path / "domains/late/lib64/libc-2.5.so").exists()


def test_a_rename_moves_the_root_with_what_is_in_it(tmp_path):
    host, roots = rooted(tmp_path, ["old"])
    (tmp_path / "domains/old/mine").write_text("samples")
    host.names[0] = "new"

    roots.sync(host, host.telemetry.snapshot())

    assert (tmp_path / "domains/new/mine").read_text() == "samples"
    assert not (tmp_path / "domains/old").exists()


def test_a_rename_onto_a_destroyed_domains_name_keeps_its_samples_aside(tmp_path):
    host, roots = rooted(tmp_path, ["old"])
    (tmp_path / "domains/new").mkdir()
    (tmp_path / "domains/new/theirs").write_text("samples")
    host.names[0] = "new"

    roots.sync(host, host.telemetry.snapshot())

    assert (tmp_path / "domains/new~1~/theirs").read_text() == "samples"


def test_a_destroyed_domain_keeps_its_root(tmp_path):
    host, roots = rooted(tmp_path, ["Domain-0", "gone"])
    del host.names[1]

    changes = roots.sync(host, host.telemetry.snapshot())

    assert changes.gone == [1]
    assert (tmp_path / "domains/gone").is_dir()


def test_a_changed_image_is_replaced_at_the_next_start(tmp_path):
    rooted(tmp_path, ["a"])
    rooted(tmp_path, ["a"], a=[DomainFile(XEN.path, b"newer xen", 7)])

    assert (tmp_path / "domains/a/usr/lib/debug/boot/xen-syms").read_bytes() == b"newer xen"


def started_again(tmp_path, data):
    """Start a service on the HOME `tmp_path` whose example is `data`; return its path."""
    example = DomainFile("/etc/xen/example", data, 1174000000, is_configuration=True)
    rooted(tmp_path, ["Domain-0"], **{"Domain-0": [example]})
    return tmp_path / "domains/Domain-0/etc/xen/example"


def test_an_edited_configuration_stays(tmp_path):
    example = started_again(tmp_path, b"memory = 64")
    example.write_bytes(b"memory = 128")

    assert started_again(tmp_path, b"memory = 64").read_bytes() == b"memory = 128"


def test_an_edited_configuration_stays_when_ours_has_changed(tmp_path):
    example = started_again(tmp_path, b"memory = 64")
    example.write_bytes(b"memory = 128")

    assert started_again(tmp_path, b"memory = 256").read_bytes() == b"memory = 128"


def test_a_configuration_nobody_has_edited_becomes_the_new_one(tmp_path):
    started_again(tmp_path, b"memory = 64")

    assert started_again(tmp_path, b"memory = 256").read_bytes() == b"memory = 256"


def test_a_configuration_that_is_away_comes_back(tmp_path):
    started_again(tmp_path, b"memory = 64").unlink()

    assert started_again(tmp_path, b"memory = 64").read_bytes() == b"memory = 64"


def test_a_link_in_the_place_of_a_configuration_stays(tmp_path):
    example = started_again(tmp_path, b"memory = 64")
    example.unlink()
    example.symlink_to("elsewhere")

    started_again(tmp_path, b"memory = 64")

    assert example.readlink().name == "elsewhere"


def test_a_configuration_edited_while_it_was_a_link_to_its_image_is_a_file_of_its_own(tmp_path):
    """Earlier versions linked it, so an edit in place was an edit of the image."""
    example = started_again(tmp_path, b"memory = 64")
    example.unlink()
    image = next((tmp_path / "images").iterdir())
    example.hardlink_to(image)
    example.write_bytes(b"memory = 128")

    started_again(tmp_path, b"memory = 64")

    assert (example.read_bytes(), example.stat().st_nlink) == (b"memory = 128", 1)


@pytest.mark.parametrize("contents", [b"", b"xxx", b"xen and more"])
def test_a_damaged_image_is_set_aside_and_written_again_at_the_start(tmp_path, contents):
    host, _ = rooted(tmp_path, ["Domain-0"])
    path = tmp_path / "domains/Domain-0/usr/lib/debug/boot/xen-syms"
    path.write_bytes(contents)
    os.utime(path, (XEN.mtime, XEN.mtime))
    told: list[StoreError] = []
    DomainRoots(tmp_path, damaged=told.append).sync(host, host.telemetry.snapshot())

    (aside,) = (tmp_path / "images").glob("*.damaged-1")
    assert (b"xen", contents, 1) == (path.read_bytes(), aside.read_bytes(), len(told))


@pytest.mark.parametrize("contents", [b"", b"xxx", b"xen and more"])
def test_an_image_damaged_by_a_rewrite_is_set_aside_whatever_its_time(tmp_path, contents):
    host, _ = rooted(tmp_path, ["Domain-0"])
    path = tmp_path / "domains/Domain-0/usr/lib/debug/boot/xen-syms"
    path.write_bytes(contents)
    told: list[StoreError] = []
    DomainRoots(tmp_path, damaged=told.append).sync(host, host.telemetry.snapshot())

    (aside,) = (tmp_path / "images").glob("*.damaged-1")
    assert (b"xen", contents, 1) == (path.read_bytes(), aside.read_bytes(), len(told))
    assert 2 == len(list((tmp_path / "images").iterdir()))


def test_a_whole_image_with_another_time_is_not_damaged(tmp_path):
    host, _ = rooted(tmp_path, ["Domain-0"])
    path = tmp_path / "domains/Domain-0/usr/lib/debug/boot/xen-syms"
    path.touch()
    told: list[StoreError] = []
    DomainRoots(tmp_path, damaged=told.append).sync(host, host.telemetry.snapshot())

    assert ([], XEN.mtime) == (told, path.stat().st_mtime)


def test_an_id_that_is_given_again_is_a_new_domain(tmp_path):
    host, roots = rooted(tmp_path, ["Domain-0", "web"])
    host.destroy("web")
    roots.sync(host, host.telemetry.snapshot())
    host.names[1] = "db"
    changes = roots.sync(host, host.telemetry.snapshot())

    assert ([], True) == (changes.renamed, (tmp_path / "domains/web").is_dir())
    assert (tmp_path / "domains/db").is_dir()


def test_a_root_that_cannot_be_filled_holds_up_no_other_domain(tmp_path):
    host, roots = rooted(tmp_path, ["Domain-0", "web"])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "domains/db").mkdir()
    (tmp_path / "domains/db/usr").symlink_to(tmp_path / "elsewhere")
    del host.names[1]
    host.names |= {2: "db", 3: "mail"}
    host.profiler.files = {"Domain-0": [XEN], "db": [XEN], "mail": [XEN]}

    changes = roots.sync(host, host.telemetry.snapshot())

    names = [problem.filename for problem in changes.problems]
    assert (changes.gone, names) == ([1], [str(tmp_path / "domains/db/usr")])
    assert (tmp_path / "domains/mail/usr/lib/debug/boot/xen-syms").is_file()
