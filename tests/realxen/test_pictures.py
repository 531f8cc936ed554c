"""Pictures of a real Xen: which vcpu ran where, and where guests compute."""

import json
from pathlib import Path

from tests.support.importing import imported, run
from tests.support.realxen.machine import Machine
from tests.support.realxen.outside import FILE, OutsideAgent
from xenprof.cli.main import main


def test_a_trace_becomes_a_picture_for_perfetto(busy: Machine, agent: OutsideAgent, tmp_path: Path):
    busy.run(f"python3 -I {FILE} trace /tmp/host.trace -e sched -S 64 -T 3", 300)
    trace, picture = tmp_path / "host.trace", tmp_path / "host.json"
    trace.write_bytes(busy.get("/tmp/host.trace"))
    code, _, told = run(main, "report", "--format", "perfetto", "--trace", trace, "-o", picture)
    assert (0, "") == (code, told)
    events = json.loads(picture.read_text())["traceEvents"]
    domids = {busy.run(f"xl domid {name}").strip() for name in ("web", "db", "batch")}
    on_pcpu_1 = {
        event["name"].split("v")[0].removeprefix("d")
        for event in events
        if event["ph"] == "X" and (event["pid"], event["tid"]) == (1, 1)
    }

    assert domids <= on_pcpu_1


def test_guests_become_a_flame_graph(busy: Machine, agent: OutsideAgent, tmp_path: Path):
    busy.run(f"python3 -I {FILE} contexts /tmp/host.contexts --for 10 2>&1", 300)
    samples, page = tmp_path / "host.contexts", tmp_path / "flame.html"
    samples.write_bytes(busy.get("/tmp/host.contexts"))
    imported("contexts", samples, tmp_path / "archives")
    code, _, told = run(
        main, "report", tmp_path / "archives", "--format", "flamegraph.html", "-o", page
    )  # fmt: skip

    assert (0, "") == (code, told)
    assert all(name in page.read_text() for name in ("web", "db", "batch"))
