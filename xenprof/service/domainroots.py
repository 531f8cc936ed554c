"""Keeps the directories of the domains: `HOME/domains/NAME`, laid out as oprofile archives.

Images are written once by content below `HOME/images` and hard-linked from there. Configurations
are files of their own, which belong to the domain's users.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypervisor.domainfile import DomainFile
from hypervisor.host import Host
from hypervisor.ownfiles import make_folder
from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from xenprof.disk import DISK, Batch, Disk
from xenprof.errors import StoreError
from xenprof.home import domain_root, domains_folder, note_domain_names
from xenprof.service.imagestore import ImageStore, give_attributes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of the domains since the last look."""

    gone: list[int]  # ids
    renamed: list[tuple[str, str]]  # from, to
    problems: list[OSError]  # with what will be tried again


class DomainRoots:
    """Keeps a directory for every domain of a host. Used on the host's thread."""

    def __init__(
        self,
        home: Path,
        settle: Callable[[], None] = lambda: None,
        *,
        disk: Disk = DISK,
        damaged: Callable[[StoreError], None] = lambda error: None,
    ) -> None:
        """`settle` waits for pending store writes; it is called before a directory moves.

        `damaged` is told of each image that was damaged and has been set aside.
        """
        self._home = home
        self._settle = settle
        self._disk = disk
        self._images = ImageStore(home, disk, damaged)
        self._names: dict[int, str] = {}  # of all domains of this host so far, by id
        self._present: set[int] = set()
        self._are_names_noted = True

    def sync(self, host: Host, snapshot: HostSnapshot) -> Changes:
        """Create roots of new domains, move those of renamed ones, keep those of destroyed ones."""
        renamed: list[tuple[str, str]] = []
        problems: list[OSError] = []
        absent: set[int] = set()  # new domains whose roots could not be made; tried again
        changed = [
            (domain.domid, name)
            for domain in snapshot.domains
            if (name := self._lasting_name(domain)) != self._known_as(domain.domid)
        ]
        for domid, name in changed:
            known_as = self._known_as(domid)
            try:
                if known_as is None:
                    self._populate(name, host)
                else:
                    self._move(known_as, name)
                    renamed.append((known_as, name))
            except OSError as error:  # it is no reason to forget about other domains
                problems.append(error)
                absent |= {domid} if known_as is None else set()
                continue
            self._names[domid] = name
            self._are_names_noted = False
        if not self._are_names_noted:
            try:
                note_domain_names(domains_folder(self._home), self._names, self._disk)
                self._are_names_noted = True
            except OSError as error:
                problems.append(error)
        present = {domain.domid for domain in snapshot.domains}
        gone = sorted(self._present - present)
        self._present = present - absent
        return Changes(gone, renamed, problems)

    def _known_as(self, domid: int) -> str | None:
        """Return the name that a domain had so far; None for a new one, whose id may be an old."""
        return self._names.get(domid) if domid in self._present else None

    def _lasting_name(self, domain: DomainSnapshot) -> str:
        """Return a domain's name; if it is being saved or is dying, its name before that."""
        known_as = self._known_as(domain.domid)
        if known_as is not None and domain.name in (f"migrating-{known_as}", f"Zombie-{known_as}"):
            return known_as
        return domain.name

    def _populate(self, name: str, host: Host) -> None:
        root = domain_root(self._home, name)
        targets = [(root / file.path.lstrip("/"), file) for file in _files(host, name)]
        for folder in {root, *(target.parent for target, _ in targets)}:
            make_folder(self._home, folder)
        # Configurations too: by these a later version knows what this one has written.
        images = self._images.stored([file for _, file in targets])
        for (target, file), image in zip(targets, images, strict=True):
            if file.is_configuration:
                self._install(target, file)
            else:
                self._link(target, image)

    def _install(self, target: Path, file: DomainFile) -> None:
        """Write a configuration as a package does: if it is absent, or as we once wrote it."""
        try:
            if target.is_symlink():
                return
            found, links = target.read_bytes(), target.stat().st_nlink
        except FileNotFoundError:
            found, links = None, 0
        except OSError:  # a directory, or not to be read: the users' affair
            return
        is_ours = found is None or self._images.has(found)
        data = file.data if is_ours or found is None else found
        if data == found and links == 1:
            return
        batch = Batch(self._disk)
        give_attributes(batch.add(target, data), file)
        for error in batch.commit().values():
            raise error

    def _link(self, target: Path, image: Path) -> None:
        try:
            os.link(image, target)
        except FileExistsError:
            if target.exists() and target.samefile(image):
                return
            fresh = target.with_name(f".{target.name}.new")
            fresh.unlink(missing_ok=True)
            os.link(image, fresh)
            fresh.replace(target)

    def _move(self, old_name: str, new_name: str) -> None:
        self._settle()
        old, new = domain_root(self._home, old_name), domain_root(self._home, new_name)
        if new.exists():  # left by a destroyed domain of that name, whose samples are moved aside
            aside = next(
                p for n in range(1, 10**6) if not (p := new.with_name(f"{new.name}~{n}~")).exists()
            )
            new.rename(aside)
        if old.exists():
            old.rename(new)
        try:
            self._disk.sync(new.parent)
        except OSError as error:  # it has moved, if perhaps not for good
            log.warning("%s: not synced: %s", new.parent, error.strerror)


def _files(host: Host, domain: str) -> list[DomainFile]:
    """Return the files that a host's capabilities put into the root of a domain."""
    images = host.profiler.domain_files(domain) if host.profiler is not None else ()
    others = host.toolstack.views.domain_files(domain) if host.toolstack is not None else ()
    return [*images, *others]
