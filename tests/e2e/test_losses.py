"""Samples that are lost: none with the sizes chosen for call stacks, and told everywhere."""

import csv
import gzip
import io
import json
import re

import pytest
from opentelemetry.proto.profiles.v1development.profiles_pb2 import ProfilesData

from tests.support.pprof_proto import decoded
from xenprof.cli.main import main
from xenprof.home import domain_root
from xenprof.report.formats import FORMATS
from xenprof.store.unseen import read_unseen

_LINE = re.compile(r"lost: (\d+) samples \(([^)]*)\)")


def run(home, *options):
    """Profile the usual scenario with one passive domain."""
    arguments = ["run", "--scenario", "grumble", "--state-dir", str(home), "--json",
                 "--active", "0,1", "--passive", "2", *options]  # fmt: skip
    assert main(arguments) == 0


def unseen(home, name):
    return dict(read_unseen(domain_root(home, name) / "var/lib/oprofile/samples/current"))


@pytest.mark.parametrize("depth", ["1", "16", "40"])
def test_the_usual_scenario_loses_nothing_with_stacks(tmp_path, capsys, depth):
    run(tmp_path, "--for", "3s", "--profile", "GLOBAL_POWER_EVENTS:100000", "--callgraph", depth)
    counters = json.loads(capsys.readouterr().out)["xenoprof"]
    notes = [unseen(tmp_path, name) for name in ("Domain-0", "DesktopVM")]

    assert counters["lost"] == 0 < counters["passive"]
    assert [("0", "0")] * 2 == [(each["lost_samples"], each["unread_samples"]) for each in notes]


@pytest.fixture(scope="module")
def lossy(tmp_path_factory):
    """Return the HOME of a run that counts too often for all buffers, and Xen's counters."""
    home = tmp_path_factory.mktemp("lossy")
    with pytest.MonkeyPatch.context() as patch:
        out = io.StringIO()
        patch.setattr("sys.stdout", out)
        run(home, "--for", "2s", "--profile", "GLOBAL_POWER_EVENTS:8000")
    return home, json.loads(out.getvalue())["xenoprof"]


def test_a_run_tells_all_losses_on_standard_error(tmp_path, capsys):
    run(tmp_path, "--for", "300ms", "--profile", "GLOBAL_POWER_EVENTS:8000")
    lost = in_line(capsys.readouterr().err)
    assert {"cpu_buffer_overflow", "ring_full"} <= set(lost)


def report(home, format, tmp_path, capsys):
    """Return a report's bytes, and what is told on standard error."""
    path = tmp_path / "report"
    capsys.readouterr()
    assert 0 == main(["report", "--state-dir", str(home), "--format", format, "-o", str(path)])
    return path.read_bytes(), capsys.readouterr().err


def in_line(text):
    """Return the losses by reason in a line for people."""
    found = _LINE.search(text)
    assert found is not None
    reasons = {name: int(count) for name, count in map(str.split, found[2].split(", "))}
    assert int(found[1]) == sum(reasons.values())
    return reasons


def number_in(pattern, text):
    found = re.search(pattern, text)
    assert found is not None
    return int(found[1])


def of_text(data, _):
    text = data.decode()
    return number_in(r":1: (\d+) samples", text), in_line(text)


def of_json(data, _):
    found = json.loads(data)
    return sum(event["samples"] for event in found["events"]), found["lost"]


def of_csv(data, err):
    rows = list(csv.reader(io.StringIO(data.decode())))
    own = rows[0].index("GLOBAL_POWER_EVENTS:8000:1 self")
    return sum(int(row[own]) for row in rows[1:]), in_line(err)


def of_folded(data, err):
    return sum(int(line.rpartition(b" ")[2]) for line in data.splitlines()), in_line(err)


def of_pprof(data, _):
    found = decoded(gzip.decompress(data))
    comments = [found.string_table[index] for index in found.comment]
    return sum(sample.value[0] for sample in found.sample), in_line(comments[-1])


def of_speedscope(data, _):
    found = json.loads(data)
    (profile,) = found["profiles"]
    lost = in_line(found["name"])
    assert profile["name"].endswith(f", {sum(lost.values())} samples lost")
    return profile["endValue"], lost


def of_html(data, _):
    found = json.loads(data.partition(b'id="data">')[2].partition(b"</script>")[0])
    return sum(found["own"][0]), in_line(found["notes"][0])


def of_svg(data, _):
    return number_in(r'data-total="(\d+)"', data.decode()), in_line(data.decode())


def of_otlp(data, _):
    found = ProfilesData.FromString(data)
    table = found.dictionary
    (profile,) = found.resource_profiles[0].scope_profiles[0].profiles
    attributes = {
        table.string_table[table.attribute_table[index].key_strindex]:
        table.attribute_table[index].value.int_value
        for index in profile.attribute_indices
    }  # fmt: skip
    total = attributes.pop("xenprof.lost_samples")
    lost = {name.removeprefix("xenprof.lost_samples."): n for name, n in attributes.items()}
    assert total == sum(lost.values())
    return sum(sample.values[0] for sample in profile.samples), lost


def of_otlp_json(data, _):
    found = json.loads(data)
    strings = found["dictionary"]["stringTable"]
    table = found["dictionary"]["attributeTable"]
    (profile,) = found["resourceProfiles"][0]["scopeProfiles"][0]["profiles"]
    attributes = {
        strings[table[index]["keyStrindex"]]: int(table[index]["value"]["intValue"])
        for index in profile["attributeIndices"]
    }
    total = attributes.pop("xenprof.lost_samples")
    lost = {name.removeprefix("xenprof.lost_samples."): n for name, n in attributes.items()}
    assert total == sum(lost.values())
    return sum(int(sample["values"][0]) for sample in profile["samples"]), lost


READERS = {
    "text": of_text,
    "json": of_json,
    "csv": of_csv,
    "folded": of_folded,
    "pprof": of_pprof,
    "speedscope": of_speedscope,
    "flamegraph.html": of_html,
    "flamegraph.svg": of_svg,
    "otlp": of_otlp,
    "otlp.json": of_otlp_json,
}


def test_every_format_of_samples_is_read():
    assert set(READERS) == {name for name, row in FORMATS.items() if row.shows != "trace"}


@pytest.mark.parametrize("format", READERS)
def test_each_format_balances_with_the_hypervisors_counts(lossy, tmp_path, capsys, format):
    """Every sample of a profiled domain is kept, or lost with a reason, Xen's own included."""
    home, counters = lossy
    kept, lost = READERS[format](*report(home, format, tmp_path, capsys))

    assert kept + sum(lost.values()) == counters["active"] + counters["passive"] + counters["lost"]
    assert lost["ring_full"] == counters["lost"] > 0
    assert lost["cpu_buffer_overflow"] > 0


def test_a_profile_that_comes_back_as_pprof_still_tells_what_was_lost(lossy, tmp_path, capsys):
    home, _ = lossy
    data, _ = report(home, "pprof", tmp_path, capsys)
    path, back = tmp_path / "shared.pb.gz", tmp_path / "back"
    path.write_bytes(data)
    assert 0 == main(["import", "pprof", str(path), "-o", str(back)])
    capsys.readouterr()
    assert 0 == main(["report", "--session", str(back), "--format", "json"])

    assert of_pprof(data, "") == of_json(capsys.readouterr().out, "")


def test_a_session_has_the_losses_of_all_its_runs_as_it_has_their_samples(sessions_of_two_runs):
    both, kept = sessions_of_two_runs
    assert kept["lost"] == both["lost"]
    assert kept["samples"] == both["samples"]


@pytest.fixture
def sessions_of_two_runs(tmp_path, capsys):
    """Return what two runs into one session, and each of them alone, have kept and lost."""

    def told(home):
        assert 0 == main(["report", "--state-dir", str(home), "--format", "json"])
        samples, lost = of_json(capsys.readouterr().out, "")
        return {"samples": samples, "lost": sum(lost.values())}

    options = ("--for", "500ms", "--profile", "GLOBAL_POWER_EVENTS:8000")
    run(tmp_path / "one", *options)
    capsys.readouterr()
    once = told(tmp_path / "one")
    run(tmp_path / "one", *options)
    capsys.readouterr()
    twice = told(tmp_path / "one")
    return {key: 2 * value for key, value in once.items()}, twice
