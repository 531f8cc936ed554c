"""The images that opcontrol names: where they are, and where their text ends."""

import errno
import os

import pytest

from hypervisor.elf import write_elf
from tests.support.fake_host import KERNEL_START, VMLINUX, XEN, XEN_START
from tests.support.opcontrol_shell import TEXT_SIZE
from xenprof.cli.opcontrol_images import ImageFiles
from xenprof.errors import UsageError


def test_start_sends_the_ranges_of_the_images(opcontrol):
    opcontrol("--start", f"--vmlinux={VMLINUX}", f"--xen={XEN}")
    setup = opcontrol.client.setups[-1]
    assert (setup.kernel_range, setup.xen_range) == (
        (KERNEL_START, KERNEL_START + TEXT_SIZE),
        (XEN_START, XEN_START + TEXT_SIZE),
    )


def test_given_kernel_range_is_taken_and_remembered(opcontrol):
    opcontrol("--start", f"--vmlinux={VMLINUX}", "--kernel-range=0x1000,0x2000")
    assert (opcontrol.client.setups[-1].kernel_range, opcontrol.daemonrc()[-2]) == (
        (0x1000, 0x2000),
        "KERNEL_RANGE=0x1000,0x2000",
    )


def test_start_without_a_decision_about_vmlinux_is_refused(opcontrol):
    code = opcontrol("--start")
    lines = opcontrol.err.splitlines()
    assert (code, len(lines), lines[0][:28]) == (1, 5, "No vmlinux file specified. Y")


def test_an_image_of_the_callers_is_copied_into_the_domain_at_the_start(opcontrol, tmp_path):
    own = tmp_path / "elsewhere" / "vmlinux"
    own.parent.mkdir()
    own.write_bytes((opcontrol.root() / VMLINUX.lstrip("/")).read_bytes())
    opcontrol(f"--vmlinux={own}")
    inside = opcontrol.root() / str(own).lstrip("/")
    before = inside.exists()
    opcontrol("--start")
    assert (before, inside.read_bytes()) == (False, own.read_bytes())


@pytest.fixture
def images(tmp_path):
    """Return the images of a domain without any, and make one of the caller's."""
    before = os.umask(0)
    own = tmp_path / "own/vmlinux"
    own.parent.mkdir()
    own.write_bytes(b"kernel")
    own.chmod(0o755)
    os.utime(own, (5, 7))
    (tmp_path / "root").mkdir()
    yield ImageFiles(tmp_path / "root"), own, tmp_path / "root" / str(own).lstrip("/")
    os.umask(before)


def test_what_is_copied_into_the_domain_is_its_users_alone_whatever_the_umask(images):
    files, own, copy = images
    files.bring(str(own))

    assert (b"kernel", 7) == (copy.read_bytes(), copy.stat().st_mtime)
    assert [path.stat().st_mode & 0o7777 for path in (copy, copy.parent, copy.parent.parent)] == [
        0o600, 0o700, 0o700
    ]  # fmt: skip


@pytest.mark.parametrize("level", [0, 1, 2])
def test_no_link_in_the_domain_is_followed_by_a_copy(images, tmp_path, level):
    files, own, copy = images
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = [copy, *copy.parents][level]
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere / "new" if level == 0 else elsewhere)
    if level:
        with pytest.raises(UsageError, match="it is a symbolic link, which is not followed"):
            files.bring(str(own))
    else:
        files.bring(str(own))  # the link makes room for the file

    assert (list(elsewhere.iterdir()), link.is_symlink()) == ([], level > 0)


def test_a_copy_for_which_there_is_no_room_leaves_nothing(images, monkeypatch):
    def full(given, copy):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    files, own, copy = images
    with pytest.raises(UsageError, match=f"^{own}: No space left on device$"):
        files.bring(str(own))

    assert list(copy.parent.iterdir()) == []


def test_a_kernel_without_etext_is_refused_at_start(opcontrol):
    path = opcontrol.root() / "boot/vmlinux"
    path.parent.mkdir()
    path.write_bytes(write_elf([], text_address=KERNEL_START, text_size=TEXT_SIZE))
    assert opcontrol("--vmlinux=/boot/vmlinux") == 0
    assert (opcontrol("--start"), opcontrol.err) == (
        1,
        "The specified file /boot/vmlinux does not seem to be valid\nMake sure you are using the "
        "non-compressed image file (e.g. vmlinux not vmlinuz)\n",
    )


def test_a_xen_image_that_is_not_there_is_not_remembered(opcontrol):
    opcontrol("--no-vmlinux")
    before = opcontrol.daemonrc()
    code = opcontrol("--xen=/nosuch")
    assert (code, opcontrol.err.splitlines()[0], opcontrol.daemonrc()) == (
        1, "The specified file /nosuch does not seem to be valid", before
    )  # fmt: skip


@pytest.mark.parametrize("content", [None, b"no ELF file"])
def test_xen_image_that_cannot_be_used_is_refused_at_start(opcontrol, content):
    path = "/boot/xen.gz"
    if content:
        file = opcontrol.root() / path.lstrip("/")
        file.parent.mkdir()
        file.write_bytes(content)
    code = opcontrol("--start", f"--vmlinux={VMLINUX}", f"--xen={path}")
    assert (code, opcontrol.err.splitlines()[0]) == (
        1,
        "The specified file /boot/xen.gz does not seem to be valid",
    )
