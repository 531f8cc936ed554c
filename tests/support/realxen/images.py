"""Builds what a real Xen 4.17 boots from, out of Debian's packages: the hypervisor, a kernel, the
disk of domain 0 and the memory disk of guests. It needs root, a mirror of Debian 12, 1.1 GB of
disk and about three minutes.
"""

import lzma
import shutil
import subprocess
import zlib
from pathlib import Path

FILES = Path(__file__).parent / "files"
_BUILDERS = ("qemu-system-x86", "seabios", "debootstrap", "cpio", "kmod", "e2fsprogs")
_PROGRAMS = ("qemu-system-x86_64", "debootstrap", "cpio", "depmod", "mke2fs")
_DOM0_PACKAGES = (
    "xen-utils-4.17", "xenstore-utils", "busybox-static", "python3", "iproute2", "kmod", "udev",
    "procps", "bridge-utils",
)  # fmt: skip
_MODULES = (
    "virtio_pci", "virtio_blk", "virtio_net", "ext4", "crc32c_generic", "xen-privcmd",
    "xen-evtchn", "xenfs", "xen-gntdev", "xen-gntalloc", "xen-blkback", "xen-netback", "bridge",
    "xen-blkfront", "xen-netfront", "loop",
)  # fmt: skip
_APPLETS = ("sh", "mount", "modprobe", "switch_root", "sleep", "cat", "dd", "ip")
_DISK_MIB = 700


class Images:
    """The files that a machine boots from, below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.xen = folder / "xen"
        self.kernel = folder / "vmlinuz"
        self.initramfs = folder / "initramfs.gz"
        self.disk = folder / "dom0.img"
        self._is_built = folder / "built"

    def build(self) -> None:
        """Build all that is missing. Raises: CalledProcessError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._is_built.exists():
            return
        if any(shutil.which(program) is None for program in _PROGRAMS):
            _run("apt-get", "update", "-q")
            _run("apt-get", "install", "-y", "-q", "--no-install-recommends", *_BUILDERS)
        packages = self._unpacked()
        root = self._root()
        release = next((packages / "lib/modules").iterdir()).name
        self.xen.write_bytes(
            zlib.decompress((packages / "boot/xen-4.17-amd64.gz").read_bytes(), 31)
        )
        kernel = (packages / f"boot/vmlinuz-{release}").read_bytes()
        self.kernel.write_bytes(kernel)
        modules = self._modules(packages, release)
        self._make_initramfs(root, modules, self.initramfs, FILES / "initramfs-init")
        guest = root / "srv/guest"
        guest.mkdir(exist_ok=True)
        self._make_initramfs(root, modules, guest / "initramfs.gz", FILES / "guest-init")
        (guest / "vmlinux").write_bytes(_uncompressed(kernel))
        shutil.copytree(modules / "lib/modules", root / "lib/modules", dirs_exist_ok=True)
        _install(FILES / "dom0-init", root / "sbin/dom0-init")
        _install(FILES / "commands.py", root / "srv/commands.py")
        for heavy in ("var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
            shutil.rmtree(root / heavy, ignore_errors=True)
        self.disk.unlink(missing_ok=True)
        _run("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(self.disk), f"{_DISK_MIB}M")
        self._is_built.touch()

    def _unpacked(self) -> Path:
        """Return the folder with the files of the hypervisor's package and of the kernel's."""
        packages, debs = self._folder / "packages", self._folder / "debs"
        if not packages.exists():
            debs.mkdir(exist_ok=True)
            depends = _output("apt-cache", "depends", "linux-image-amd64")
            kernel = next(
                line.split()[-1] for line in depends.splitlines() if "Depends: linux-image" in line
            )
            _run("apt-get", "download", "-q", "xen-hypervisor-4.17-amd64", kernel, cwd=debs)
            for deb in debs.glob("*.deb"):
                _run("dpkg-deb", "-x", str(deb), str(packages))
        return packages

    def _root(self) -> Path:
        """Return the root of domain 0."""
        root, is_there = self._folder / "root", self._folder / "root-made"
        if not is_there.exists():
            shutil.rmtree(root, ignore_errors=True)
            _run(
                "debootstrap", "--variant=minbase", f"--include={','.join(_DOM0_PACKAGES)}",
                "bookworm", str(root), _mirror(),
            )  # fmt: skip
            is_there.touch()
        return root

    def _modules(self, packages: Path, release: str) -> Path:
        """Return a folder with the modules that are used and what they need."""
        folder = self._folder / "modules"
        shutil.rmtree(folder, ignore_errors=True)
        _run("depmod", "-b", str(packages), release)
        needed = set()
        for name in _MODULES:
            told = _output(
                "modprobe", "-d", str(packages), "-S", release, "--show-depends", name, check=False
            )
            needed |= {line.split()[1] for line in told.splitlines() if line.startswith("insmod")}
        for file in needed:
            place = folder / Path(file).relative_to(packages)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
        for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
            shutil.copy(
                packages / f"lib/modules/{release}" / name, folder / f"lib/modules/{release}"
            )
        _run("depmod", "-b", str(folder), release)
        return folder

    def _make_initramfs(self, root: Path, modules: Path, into: Path, init: Path) -> None:
        folder = self._folder / "initramfs"
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("bin", "proc", "sys", "dev", "root"):
            (folder / name).mkdir(parents=True)
        shutil.copy(root / "bin/busybox", folder / "bin/busybox")
        for applet in _APPLETS:
            (folder / "bin" / applet).symlink_to("busybox")
        shutil.copytree(modules / "lib", folder / "lib")
        _install(init, folder / "init")
        names = "\n".join(
            str(path.relative_to(folder)) for path in [folder, *sorted(folder.rglob("*"))]
        )
        packed = subprocess.run(
            ["cpio", "-o", "-H", "newc", "--quiet"],
            input=names.encode(), cwd=folder, check=True, stdout=subprocess.PIPE,
        ).stdout  # fmt: skip
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        into.write_bytes(packer.compress(packed) + packer.flush())


def _mirror() -> str:
    """Return the address of the mirror that this machine uses. Raises: RuntimeError."""
    for file in Path("/etc/apt/sources.list.d").glob("*.sources"):
        for line in file.read_text().splitlines():
            if line.startswith("URIs:"):
                return line.split()[1]
    raise RuntimeError("no mirror of Debian in /etc/apt/sources.list.d")


def _uncompressed(kernel: bytes) -> bytes:
    """Return the ELF file in a bzImage that is packed by xz, which builders of guests like best."""
    return lzma.LZMADecompressor().decompress(kernel[kernel.index(b"\xfd7zXZ\x00") :])


def _install(file: Path, place: Path) -> None:
    shutil.copy(file, place)
    place.chmod(0o755)


def _run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, check=True, cwd=cwd, stdout=subprocess.DEVNULL)


def _output(*command: str, check: bool = True) -> str:
    return subprocess.run(command, check=check, stdout=subprocess.PIPE, text=True).stdout
