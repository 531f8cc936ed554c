import importlib
import os
import shlex
from pathlib import Path

import pytest

from tests.support.compiled_sessions import FIXTURES, write_domain

EXPECTED = Path(__file__).parent / "expected"
KERNEL = "session:kernel /boot/vmlinux"

CASES = {
    # source
    "source": "opannotate --source",
    "source_two_events": "opannotate -s session:two-events",
    "source_per_cpu": "opannotate -s session:per-cpu",
    "source_merged_cpus": "opannotate -s -m cpu session:per-cpu",
    "source_32_bits": "opannotate -s session:demo32",
    "source_threshold": "opannotate -s -t 50",
    "source_included_symbol": "opannotate -s -i fill",
    "source_excluded_symbol": "opannotate -s -e receive,_start",
    "source_included_file": "opannotate -s --include-file='*.h'",
    "source_excluded_file": "opannotate -s --exclude-file=demo.c",
    "source_search_dirs": "opannotate -s -d HOME/moved -b /usr/src",
    "source_without_dependents": "opannotate -s -x session:separated",
    "source_with_images_without_lines": "opannotate -s session:separated",
    "source_missing": "opannotate -s archive:HOME/bare",
    "source_separate_debug_file": "opannotate -s --include-file=demo.c archive:HOME/split",
    "source_to_directory": "opannotate -s -o HOME/out",
    "source_mangled_names": "opannotate -s -t 50 -D none -V all",
    "source_of_root": "opannotate -s -t 50 -R HOME/domains/Domain-0 "
    "--session-dir HOME/domains/Domain-0/var/lib/oprofile",
    "source_by_image_path": "opannotate -s -t 50 -p HOME/domains/Domain-0/usr/bin "
    "--session-dir HOME/domains/Domain-0/var/lib/oprofile",
    "source_merge_all": "opannotate -s -m all -t 60 session:per-cpu",
    # assembly
    "assembly": "opannotate --assembly",
    "assembly_two_events": "opannotate -a -i receive session:two-events",
    "assembly_32_bits": "opannotate -a session:demo32",
    "assembly_threshold": "opannotate -a -t 50",
    "assembly_with_source": "opannotate -as -i receive",
    "assembly_intel": "opannotate -a -i fill --objdump-params=-Mintel,--show-raw-insn",
    "assembly_unknown_parameter": "opannotate -a -i _start --objdump-params=--no-addresses",
    "assembly_of_the_model": f"opannotate -a -i do_IRQ {KERNEL}",
    "assembly_without_code": "opannotate -a session:unknown",
    "assembly_nothing_left": "opannotate -a -i nothing",
    # refusals of opannotate
    "error_source_of_the_model": f"opannotate -s {KERNEL}",
    "error_neither": "opannotate",
    "error_objdump_params": "opannotate -s --objdump-params=-S",
    "error_base_dirs": "opannotate -s -b /usr",
    "error_output_dir": "opannotate -a -o HOME/x",
    "error_output_dir_root": "opannotate -s -o /",
    "error_output_dir_file": "opannotate -s -o HOME/file/x",
    "error_merge_lib": "opannotate -s -m lib",
    "error_demangle": "opannotate -s -D apples",
    "error_threshold": "opannotate -s -t x",
    "error_differential": "opannotate -s { session:demo } { session:many }",
    "error_unknown_option": "opannotate --sources",
    "error_no_session": "opannotate -s session:nowhere",
    "error_too_strict": "opannotate -s image:/nowhere",
    "error_verbose": "opannotate -s -V everything",
    "error_image_path": "opannotate -s -p HOME/nowhere",
    "error_unknown_domain": "opannotate -s --domain web",
    "error_damaged": "opannotate -s --session-dir HOME/damaged",
    "opannotate_help": "opannotate --help",
    "opannotate_usage": "opannotate --usage",
    # opgprof
    "gprof": "opgprof -o HOME/gmon.out session:demo",
    "gprof_capped": "opgprof -o HOME/gmon-many.out session:many",
    "gprof_library": "opgprof -o HOME/gmon-lib.out session:separated lib-image:/lib64/libc-2.5.so",
    "error_gprof_images": "opgprof session:unknown",
    "error_gprof_events": "opgprof session:two-events",
    "error_gprof_output": "opgprof -o HOME/nowhere/gmon.out",
    "error_gprof_no_symbols": "opgprof -o HOME/g session:unknown lib-image:/no-vmlinux",
    "error_gprof_none": "opgprof image:/nowhere",
    "error_gprof_threshold": "opgprof -t 101",
    "opgprof_help": "opgprof --help",
    # oparchive
    "archive_list": "oparchive -l session:separated",
    "archive_list_two_sessions": "oparchive --list-files session:demo,kernel",
    "archive_list_without_dependents": "oparchive -lx session:separated",
    "archive_list_missing_image": "oparchive -l session:unknown",
    "archive_session_dir": "oparchive -o HOME/archive-b "
    "--session-dir HOME/domains/Domain-0/var/lib/oprofile session:demo",
    "error_archive_no_directory": "oparchive",
    "error_archive_root": "oparchive -o /",
    "error_archive_unwritable": "oparchive -o HOME/file/x",
    "error_archive_onto_itself": "oparchive -o HOME/domains/Domain-0",
    "error_archive_none": "oparchive -o HOME/x session:nowhere",
    "error_archive_too_strict": "oparchive -o HOME/x image:/nowhere",
    "error_archive_differential": "oparchive -l { session:demo } { session:many }",
    "error_archive_damaged": "oparchive -l --session-dir HOME/damaged",
    "oparchive_help": "oparchive --help",
    # conversion by opimport
    "error_import_no_input": "opimport -a HOME/abi -o HOME/x",
    "error_import_no_abi": "opimport -a HOME/nowhere -o HOME/x HOME/file",
    "error_import_no_output": "opimport -a HOME/abi HOME/file",
    "error_import_same_abi": "opimport -a HOME/abi -o HOME/x HOME/file",
    "error_import_not_an_abi": "opimport -a HOME/domains/Domain-0/usr/bin/demo -o HOME/x HOME/file",
    "error_import_not_samples": "opimport -f -a HOME/abi -o HOME/x HOME/file",
    "error_import_no_file": "opimport -f -a HOME/abi -o HOME/x HOME/nowhere",
    "error_import_a_directory": "opimport -f -a HOME/abi -o HOME/x HOME",
    "import_of_code": "opimport -V -f -a HOME/abi -o HOME/x HOME/77.jo",
    "opimport_help": "opimport --help",
    # ophelp
    "events_p4": "ophelp -c i386/p4",
    "events_p4_ht": "ophelp -c i386/p4-ht",
    "events_core_2": "ophelp -c i386/core_2",
    "events_hammer": "ophelp -c x86-64/hammer",
    "events_timer": "ophelp -c timer",
    "events_xml": "ophelp -c i386/p4-ht --xml",
    "ophelp_help": "ophelp --help",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home")
    root = path / "domains" / "Domain-0"
    write_domain(root)
    (path / "file").write_text("no sample file\n")
    (root / "var/lib/oprofile/abi").write_text((FIXTURES / "abi").read_text())
    os.link(root / "var/lib/oprofile/abi", path / "abi")
    _copy_sources(path / "moved" / "demo")
    _write_archive(path / "bare", root, "demo")
    _write_archive(path / "split", root, "stripped")
    debug = path / "split" / "usr" / "lib" / "debug" / "usr" / "bin"
    debug.mkdir(parents=True)
    (debug / "demo.debug").write_bytes((FIXTURES / "demo.debug").read_bytes())
    _copy_sources(path / "split" / "usr" / "src" / "demo")
    damaged = path / "damaged" / "samples" / "current" / "{kern}" / "a" / "{dep}" / "{kern}" / "a"
    damaged.mkdir(parents=True)
    (damaged / "CPU_CLK_UNHALTED.100000.0.all.all.all").write_bytes(b"DAE\n" + bytes(60))
    return path


def _copy_sources(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("demo.c", "checksum.h"):
        (folder / name).write_bytes((FIXTURES / name).read_bytes())


def _write_archive(archive: Path, root: Path, program: str) -> None:
    """Write an archive with the session `demo`, without sources."""
    for folder in ("usr/bin", "var/lib/oprofile/samples"):
        (archive / folder).mkdir(parents=True)
    (archive / "usr/bin/demo").write_bytes((FIXTURES / program).read_bytes())
    stat = (root / "usr/bin/demo").stat()
    os.utime(archive / "usr/bin/demo", (stat.st_mtime, stat.st_mtime))
    (archive / "var/lib/oprofile/samples/current").symlink_to(
        root / "var/lib/oprofile/samples/demo"
    )


@pytest.mark.parametrize("name", CASES)
def test_the_program_prints_what_it_always_printed(name, home, capsys, monkeypatch, update_golden):
    monkeypatch.setenv("XENPROF_HOME", str(home))
    monkeypatch.delenv("XENPROF_DOMAIN", raising=False)
    program, *words = shlex.split(CASES[name].replace("HOME", str(home)))
    exit_code = importlib.import_module(f"xenprof.cli.{program}").main(words)
    out, err = (text.replace(str(home), "HOME") for text in capsys.readouterr())
    actual = f"$ {CASES[name]}\n{out}--- stderr\n{err}--- exit {exit_code}\n"
    file = EXPECTED / f"{name}.txt"
    if update_golden:
        file.write_text(actual)
    assert file.read_text().splitlines() == actual.splitlines()


def test_every_expected_text_has_a_case():
    assert sorted(file.stem for file in EXPECTED.iterdir()) == sorted(CASES)
