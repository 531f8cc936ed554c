import os
import shlex
from pathlib import Path

import pytest

from tests.support.known_sessions import SESSIONS, write_domain
from xenprof.cli.opreport import main

EXPECTED = Path(__file__).parent / "expected"

CASES = {
    # recorded from the real program
    "summary": "",
    "summary_two_events": "session:two-events",
    "summary_per_cpu": "session:per-cpu",
    "symbols_addresses": "-l -w",
    "symbols_accumulated": "-l -a -t 10",
    "symbols_debug_info": "-l -g -t 7",
    "details_of_one_image": "-d image:/usr/bin/prog",
    "callgraph": "-c session:calls",
    "differential": "-l { session:current } { session:later }",
    # layout
    "summary_long_names": "-f",
    "summary_no_header": "-n session:dependent",
    "summary_reversed": "-r session:dependent",
    "summary_threshold": "--threshold=5",
    "summary_dependents": "session:dependent",
    "summary_dependents_of_total": "-% session:dependent",
    "summary_without_dependents": "-x session:dependent",
    "summary_merged_libraries": "-m lib session:dependent",
    "summary_merged_cpus": "--merge cpu session:per-cpu",
    "summary_per_thread": "session:per-task",
    "summary_tiny_share": "session:tiny-share",
    "summary_unit_masks": "session:masks",
    "summary_merged_unit_masks": "-m unitmask session:masks",
    "summary_no_speed": "session:no-speed",
    "summary_foreign_event": "session:foreign-event",
    "symbols": "-l",
    "symbols_two_events": "-l session:two-events",
    "symbols_per_cpu": "-l session:per-cpu",
    "symbols_dependents": "--symbols session:dependent",
    "symbols_long_names": "-lf session:dependent",
    "symbols_no_header": "-ln session:dependent",
    "symbols_by_image_and_name": "-l -s image,symbol session:dependent",
    "symbols_by_address_reversed": "-lwr --sort vma session:dependent",
    "symbols_included": "-l -i schedule,leaf",
    "symbols_excluded": "-l -e schedule",
    "symbols_stale_images": "-l session:stale",
    "details_of_total": "-d -% image:/usr/bin/prog",
    "details_two_events": "-d session:two-events",
    "summary_timer": "session:timer",
    "summary_empty": "session:empty",
    "symbols_empty": "-l session:empty",
    "details_empty": "-d session:empty",
    "xml_empty": "-X session:empty",
    "callgraph_alone": "-c session:calls-alone",
    "error_only_calls": "session:calls-alone",
    "differential_of_itself": "-l { session:later } { session:later }",
    "differential_of_cpus": "-l -m cpu { session:per-cpu } { cpu:1 session:per-cpu }",
    "details_accumulated": "-da lib-image:/usr/bin/prog",
    "callgraph_addresses": "-cw -% session:calls",
    "callgraph_threshold": "-c -t 15 session:calls",
    "xml": "-X image:/usr/bin/prog session:mixed",
    "xml_dependents": "-X session:dependent",
    "xml_per_cpu": "-X session:per-cpu",
    # images of a compiler
    "native_symbols": "-l session:native",
    "native_names_unchanged": "-l -D none session:native image:/opt/demo/shapes",
    "native_names_short": "-l --demangle=smart session:native image:/opt/demo/shapes",
    "native_lines": "-lg session:native",
    "native_lines_of_addresses": "-dgf session:native image:/opt/demo/demo,/opt/demo/stripped",
    "native_by_line": "-lg -s debug session:native image:/opt/demo/demo,/opt/demo/stripped",
    "native_xml": "-X -lgd session:native image:/opt/demo/demo",
    "xml_details": "-X -d image:/usr/bin/prog",
    "xml_per_task": "-X session:per-task",
    "xml_two_events": "-X session:two-events",
    # selection
    "select_by_application": "image:/usr/bin/prog session:dependent",
    "select_by_library": "lib-image:/lib64/libc-2.5.so,/boot/xen-syms session:dependent",
    "select_by_pattern": "/boot/*",
    "select_without": "image-exclude:/boot/vmlinux session:dependent",
    "select_bare_kernel_name": "domain1-kernel",
    "select_event": "event:INST_RETIRED_ANY_P session:two-events",
    "select_cpu": "cpu:1,10 session:per-cpu",
    "select_task": "tgid:77 session:per-thread",
    "select_two_sessions": "session:later,two-events event:CPU_CLK_UNHALTED image:/nowhere",
    "select_last_value_wins": "session:nowhere session:later",
    "select_archive": "archive:HOME/domains/Domain-0 session:later -l",
    "select_session_dir": "--session-dir=HOME/domains/Domain-0/var/lib/oprofile -l session:later",
    "select_session_path": "session:HOME/domains/Domain-0/var/lib/oprofile/samples/later",
    "select_image_path": "-l -p HOME/extra image:/domain1-kernel",
    "select_root": "-l -R HOME/domains/Domain-0 "
    "--session-dir HOME/domains/Domain-0/var/lib/oprofile session:later",
    # refusals
    "error_nothing_selected": "image:/nowhere",
    "error_no_session": "session:nowhere",
    "error_tag_twice": "session:later session:later",
    "empty_group": "-l { } { session:later }",
    "error_same_file_twice": "session:current,mixed",
    "error_two_axes": "session:clash",
    "error_task_and_thread": "session:per-thread",
    "error_classes_differ": "-l { session:current } { session:per-cpu }",
    "error_callgraph_details": "-c -d",
    "error_address_without_symbols": "-w",
    "error_debug_without_symbols": "-g",
    "error_accumulated_without_symbols": "-a",
    "error_filter_without_symbols": "-i main",
    "error_sort_vma_without_symbols": "-s vma",
    "error_global_percent": "-l -%",
    "error_merge_lib_exclude_dependent": "-x -m lib",
    "error_threshold": "-t 101",
    "error_threshold_word": "-t few",
    "error_merge": "-m apples",
    "error_sort": "-s apples",
    "error_demangle": "-D apples",
    "error_differential_summary": "{ session:current } { session:later }",
    "error_differential_details": "-d { session:current } { session:later }",
    "error_xml_accumulated": "-X -l -a -%",
    "error_xml_differential": "-l -X { session:current } { session:later }",
    "error_many": "-a -w -i x -s vma",
    "error_verbose": "-V apples",
    "error_image_path": "-p HOME/nowhere",
    "error_all_excluded": "session:later session-exclude:later",
    "sort_with_xml": "-X -s vma image:/usr/bin/prog session:later",
    "differential_threshold": "-l -t 30 { session:current } { session:later }",
    "callgraph_included": "-c -i leaf,mid session:calls",
    "callgraph_accumulated": "-ca session:calls",
    "merge_all_excludes": "-x -m all session:dependent",
    "error_unknown_option": "--symbol",
    "error_unknown_letter": "-lz",
    "error_missing_value": "--sort",
    "error_unknown_domain": "--domain web",
    "error_unknown_domain_id": "--domain 77",
    "error_output_file": "-o HOME/nowhere/report",
    # about the program
    "help": "--help",
    "usage": "--usage",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home")
    write_domain(path / "domains" / "Domain-0")
    vmlinux = path / "domains" / "Domain-0" / "boot" / "vmlinux"
    (path / "extra").mkdir()
    os.link(vmlinux, path / "extra" / "domain1-kernel")
    return path


@pytest.mark.parametrize("name", CASES)
def test_opreport_prints_what_it_always_printed(name, home, capsys, monkeypatch, update_golden):
    monkeypatch.setenv("XENPROF_HOME", str(home))
    monkeypatch.delenv("XENPROF_DOMAIN", raising=False)
    exit_code = main(shlex.split(CASES[name].replace("HOME", str(home))))
    out, err = (text.replace(str(home), "HOME") for text in capsys.readouterr())
    actual = f"$ opreport {CASES[name]}\n{out}--- stderr\n{err}--- exit {exit_code}\n"
    file = EXPECTED / f"{name}.txt"
    if update_golden:
        file.write_text(actual)
    assert file.read_text().splitlines() == actual.splitlines()


def test_every_expected_text_has_a_case():
    assert sorted(file.stem for file in EXPECTED.iterdir()) == sorted(CASES)


def test_every_session_has_a_case():
    used = " ".join(CASES.values())
    assert [name for name in SESSIONS if f":{name}" not in used and f",{name}" not in used] == []
