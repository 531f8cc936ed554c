import shutil
from pathlib import Path

import pytest

from hypervisor.elf import ElfSymbol, write_elf
from hypervisor.errors import UnknownDomain
from tests.support.homes import session, write, write_home
from tests.support.known_sessions import (
    GUEST_KERNEL,
    INSTRUCTIONS,
    VMLINUX,
    own,
)
from tests.support.stack_profiles import profile
from xenprof.disk import Disk
from xenprof.errors import StoreError, UsageError
from xenprof.home import domain_root
from xenprof.profile.flat import ImageName
from xenprof.report.sessions.places import chosen_domains, named_session, place_at
from xenprof.report.sessions.reading import read_place
from xenprof.store import stackfile
from xenprof.store.placing import set_aside
from xenprof.store.unseen import write_unseen

CYCLES = "CPU_CLK_UNHALTED"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_home(tmp_path)


def read(place, *domains: str):
    warnings: list[str] = []
    found = read_place(place, domains=frozenset(domains), warn=warnings.append)
    assert warnings == []
    return found


def samples(found, event: str = CYCLES) -> dict:
    """Return the samples of an event by domain, layer, image and symbol."""
    column = [kind.event for kind in found.types].index(event)
    return {
        (frame.domain, str(frame.layer), frame.image, frame.symbol): int(found.values[row, column])
        for row, stack in enumerate(found.stacks)
        for frame in [found.frames[stack[0]]]
        if found.values[row, column]
    }


def test_every_sample_of_every_domain_is_there_once(home):
    assert read(named_session(home, "current")).totals == (618, 10)


def test_frames_know_domain_layer_image_and_symbol(home):
    assert samples(read(named_session(home, "current"), "Domain-0", "web")) == {
        ("Domain-0", "kernel", "/boot/vmlinux", "schedule"): 40,
        ("Domain-0", "kernel", "/boot/vmlinux", "default_idle"): 5,
        ("Domain-0", "hypervisor", "/boot/xen-syms", "context_switch"): 30,
        ("Domain-0", "user", "/usr/bin/prog", "leaf"): 20,
        ("Domain-0", "user", "/lib64/libc-2.5.so", "memcpy"): 6,
        ("Domain-0", "user", "/lib64/libc-2.5.so", ""): 1,
        ("Domain-0", "user", "[anon]", ""): 4,
        ("web", "kernel", "/boot/vmlinux", "schedule"): 100,
        ("web", "hypervisor", "/boot/xen-syms", "context_switch"): 50,
        ("web", "user", "/usr/bin/prog", "main"): 250,
    }


def test_a_passive_domain_has_its_samples_and_its_own_symbols(home):
    assert samples(read(named_session(home, "current"), "db")) == {
        ("db", "kernel", "domain1-kernel", "default_idle"): 80,
        ("db", "hypervisor", "/boot/domain1-xen", "context_switch"): 21,
        ("db", "user", "domain1-apps", ""): 9,
        ("db", "kernel", "domain1-modules", ""): 2,
    }


def test_a_passive_domain_nobody_knows_is_called_by_its_number(home):
    (home / "domains" / ".ids").unlink()
    domains = {key[0] for key in samples(read(named_session(home, "current")))}
    assert domains == {"Domain-0", "web", "domain1"}


def test_addresses_of_a_kernel_whose_range_was_unknown_have_symbols_too(home):
    write(home, "Domain-0", [own(GUEST_KERNEL, {0xFFFFFFFF80200000 + 0x104: 80})])
    found = samples(read(named_session(home, "current"), "db"))
    assert found["db", "kernel", "domain1-kernel", "default_idle"] == 80


def test_samples_of_an_archive_that_domain_0_repeats_are_not_counted_twice(home):
    write(home, "db", [own(GUEST_KERNEL, {0x104: 80})])
    assert read(named_session(home, "current")).totals == (618, 10)


def test_the_hypervisor_may_be_called_as_the_daemon_was_told(home):
    other = ImageName("root", "/boot/my-hypervisor")
    write(home, "web", [own(VMLINUX, {0: 1})])
    root = domain_root(home, "web")
    shutil.copy(root / "boot/xen-syms", root / "boot/my-hypervisor")
    path = next(p for p in session(home, "web").rglob("CPU_CLK*") if "xen-syms" in str(p))
    moved = Path(str(path).replace("xen-syms", "my-hypervisor"))
    moved.parent.mkdir(parents=True)
    path.rename(moved)
    rc = root / "root/.oprofile/daemonrc"
    rc.parent.mkdir(parents=True)
    rc.write_text(f"XENIMAGE={other.path}\n")
    assert ("web", "hypervisor", other.path, "context_switch") in samples(
        read(named_session(home, "current"))
    )


def test_a_module_of_the_kernel_is_not_the_hypervisor_for_its_name(home):
    write(home, "web", [own(VMLINUX, {0: 1})], "modules")
    path = next(session(home, "web", "modules").rglob("CPU_CLK*"))
    moved = session(home, "web", "modules") / "{kern}/xennet/{dep}/{kern}/xennet" / path.name
    moved.parent.mkdir(parents=True)
    path.rename(moved)
    found = samples(read(named_session(home, "modules")))
    assert found == {("web", "kernel", "xennet", ""): 1}


def test_samples_of_an_image_that_is_gone_keep_its_name(home):
    (domain_root(home, "web") / "usr/bin/prog").unlink()
    found = samples(read(named_session(home, "current"), "web"))
    assert found["web", "user", "/usr/bin/prog", ""] == 250


def test_names_of_cpp_are_those_of_the_source(home):
    path = domain_root(home, "web") / "usr/bin/prog"
    serve = ElfSymbol("_ZN3web5serveEi", 0x1100, 0x80)
    path.write_bytes(write_elf([serve], text_address=0x1000, text_size=0x1000, text_offset=0x1000))
    found = samples(read(named_session(home, "current"), "web"))
    assert found["web", "user", "/usr/bin/prog", "web::serve(int)"] == 250


def test_an_image_that_is_none_is_warned_of(home):
    (domain_root(home, "web") / "usr/bin/prog").write_text("gone")
    warnings: list[str] = []
    read_place(named_session(home, "current"), warn=warnings.append)
    assert len(warnings) == 1
    assert "usr/bin/prog" in warnings[0]


def test_losses_are_added_up_by_reason(home):
    for domain, lost in (("Domain-0", 3), ("web", 4)):
        stats = session(home, domain) / "stats/cpu0"
        stats.mkdir(parents=True)
        (stats / "sample_lost_overflow").write_text(f"{lost}\n")
    assert read(named_session(home, "current")).lost == {"cpu_buffer_overflow": 7}


def lose_all(home, domain, notes):
    """Have a session of a domain no samples, and notes on what it has lost."""
    shutil.rmtree(session(home, domain))
    write_unseen(session(home, domain), notes)


def test_a_session_that_has_lost_all_its_samples_counts_with_its_losses(home):
    lose_all(home, "web", ["lost_reasons domain_destroyed=43116", "unread_samples 2"])
    found = read(named_session(home, "current"))
    assert (found.totals, found.lost) == ((218, 10), {"domain_destroyed": 43116, "unread": 2})


def test_a_session_without_samples_and_losses_is_none(home):
    lose_all(home, "web", ["lost_reasons ", "unread_samples 0"])
    place = named_session(home, "current")
    assert "web" not in {source.domain for source in place.sources}


def damage(where):
    """Damage the sample files of a session; return their paths."""
    found = [path for path in where.rglob("*.*.*.*.*.*") if path.is_file()]
    for path in found:
        path.write_bytes(b"ELF!")
    return found


def test_a_damaged_sample_file_hides_no_other(home):
    whole = read(named_session(home, "current")).values.sum()
    path = damage(session(home, "web"))[0]
    told: list[str] = []
    profile = read_place(named_session(home, "current"), warn=told.append)
    assert 0 < profile.values.sum() < whole
    assert [(str(path), "left out")] == [
        (str(path) if str(path) in line else line, line[-8:]) for line in told[:1]
    ]


def test_a_session_of_damaged_files_only_is_an_error(home):
    damage(home)
    with pytest.raises(StoreError, match="CPU_CLK"):
        read(named_session(home, "current"))


def a_folder_in_place_of_stacks(where):
    (where / "stacks/stacks.xps").mkdir(parents=True)


def a_file_in_place_of_their_folder(where):
    (where / "stacks").write_bytes(b"")


@pytest.mark.parametrize("obstruct", [a_folder_in_place_of_stacks, a_file_in_place_of_their_folder])
def test_stacks_that_cannot_be_read_hide_no_samples(home, obstruct):
    obstruct(session(home, "web"))
    told: list[str] = []
    profile = read_place(named_session(home, "current"), warn=told.append)
    assert (profile.totals, [line[-8:] for line in told]) == ((618, 10), ["left out"])


def test_damaged_notes_on_losses_are_told(home):
    notes = session(home, "web") / "stats/xenprof_unseen"
    notes.parent.mkdir()
    notes.write_bytes(b"lost_reas")
    told: list[str] = []
    read_place(named_session(home, "current"), warn=told.append)
    assert told == [f"{notes}: damaged notes on lost samples: what was lost may be missing"]


def test_files_that_were_set_aside_are_told(home):
    where = session(home, "web")
    set_aside(where, damage(where)[0], Disk())
    told: list[str] = []
    read_place(named_session(home, "current"), warn=told.append)
    assert f"{where}: 1 damaged files were set aside" in told


def test_new_stacks_after_damaged_ones_hide_no_earlier_samples(home):
    where = session(home, "web")
    stackfile.merge(where, profile())
    set_aside(where, stackfile.stack_path(where), Disk())
    stackfile.merge(where, profile())
    told: list[str] = []
    found = read_place(named_session(home, "current"), warn=told.append)
    assert (found.totals, told) == ((618, 10), [f"{where}: 1 damaged files were set aside"])


def test_a_named_session_is_of_the_domains_that_have_it(home):
    assert samples(read(named_session(home, "later"))) == {
        ("Domain-0", "kernel", "/boot/vmlinux", "schedule"): 7
    }


def test_a_session_that_nobody_has_is_refused_with_those_there_are(home):
    with pytest.raises(UsageError, match="no domain has a session nosuch; there are current, late"):
        named_session(home, "nosuch")


def test_no_home_at_all_has_no_session(tmp_path):
    with pytest.raises(UsageError, match="there are none below"):
        named_session(tmp_path / "nowhere", "current")


@pytest.mark.parametrize(
    ("path", "totals"),
    [
        ("", (618, 10)),
        ("domains", (618, 10)),
        ("domains/web", (400,)),
        ("domains/web/var/lib/oprofile", (400,)),
        ("domains/web/var/lib/oprofile/samples/current", (400,)),
        ("domains/Domain-0/var/lib/oprofile/samples/later", (7,)),
    ],
)
def test_a_path_may_be_a_home_archives_an_archive_or_a_session(home, path, totals):
    assert read(place_at(home / path)).totals == totals


@pytest.mark.parametrize(
    "path", ["domains/Domain-0", "domains/Domain-0/var/lib/oprofile/samples/current"]
)
def test_passive_domains_of_one_archive_are_known_by_those_beside_it(home, path):
    found = samples(read(place_at(home / path), "db"))
    assert found["db", "kernel", "domain1-kernel", "default_idle"] == 80


def test_a_passive_domain_of_imported_archives_has_its_usual_name(home):
    (home / "domains" / ".ids").unlink()
    domain_root(home, "db").rename(domain_root(home, "Domain-1"))
    found = samples(read(place_at(home / "domains")))
    assert found["Domain-1", "kernel", "domain1-kernel", "default_idle"] == 80


def test_a_path_to_nothing_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no session of samples is there"):
        place_at(tmp_path)


@pytest.mark.parametrize("word", ["web", "2"])
def test_a_domain_may_be_chosen_by_name_or_id(home, word):
    place = named_session(home, "current")
    assert chosen_domains(home, place, [word]) == {"web"}


@pytest.mark.parametrize("word", ["nosuch", "7"])
def test_an_unknown_domain_is_refused(home, word):
    with pytest.raises(UnknownDomain):
        chosen_domains(home, named_session(home, "current"), [word])


def test_events_keep_their_periods(home):
    assert [kind.text for kind in read(named_session(home, "current")).types] == [
        f"{CYCLES}:100000:0",
        f"{INSTRUCTIONS}:200000:0",
    ]


def test_the_speed_is_that_of_the_headers(home):
    assert read(named_session(home, "current")).cpu_mhz == 2333.42


def test_xen_is_code_of_the_domain_that_called_it(home):
    found = samples(read(named_session(home, "current")))
    layers = {key[0]: count for key, count in found.items() if key[1] == "hypervisor"}
    assert layers == {"Domain-0": 30, "db": 21, "web": 50}
