"""Formats read by other programs: a real browser, speedscope, and a pprof reader from npm."""

import base64
import json
import os
import re
import shutil
import subprocess
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.e2e.peers import peer
from tests.support.paths import ROOT
from tests.support.stack_profiles import BEFORE, HOSTILE, VALUES, profile, scaled
from xenprof.report.formats import load
from xenprof.report.formats.request import Request

pytestmark = pytest.mark.peer

PEERS = Path(os.environ.get("XENPROF_NPM_PEERS", ROOT / ".run" / "peers"))
SECONDS = 120

PLAIN = Request(profile(), title=f"title {HOSTILE}")
COMPARED = Request(
    profile(scaled(VALUES, 10), 1), base=profile(scaled(BEFORE, 10), 1), base_title="before"
)


def rendered(name: str, request: Request) -> bytes:
    return b"".join(load(name)(request))


@cache
def chromium() -> str:
    return peer(shutil.which("chromium"), "chromium")


def npm_peer(name: str) -> Path:
    """Return the folder of a package; without it the test is skipped, in CI too."""
    folder = PEERS / "node_modules" / name
    if not folder.is_dir() or shutil.which("node") is None:
        pytest.skip(f"node and npm's {name} (below {PEERS}) are not installed")
    return folder


def seen(tmp_path: Path, file: str, data: bytes, state: str = "") -> str:
    """Return the document as it is after the page's script has run."""
    path = tmp_path / file
    path.write_bytes(data)
    return browse(tmp_path, f"{path.as_uri()}{state}")


def browse(tmp_path: Path, address: str, *options: str) -> str:
    done = subprocess.run(
        [
            chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000",
            *options, "--dump-dom", address,
        ],
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    complaints = re.findall(r".*CONSOLE.*(?:Error|refused|Refused|violates).*", done.stderr)
    assert complaints == []
    return done.stdout


def text_of(document: str, element: str) -> str:
    found = re.search(rf'id="{element}"[^>]*>(.*?)</', document, re.DOTALL)
    assert found
    return unescape(found[1])


def test_the_page_runs_and_says_what_it_shows(tmp_path):
    document = seen(tmp_path, "a.html", rendered("flamegraph.html", PLAIN))
    assert text_of(document, "status") == "all · 100 samples, 100.00 %"


def test_a_hostile_name_is_only_text_in_the_page(tmp_path):
    document = seen(tmp_path, "a.html", rendered("flamegraph.html", PLAIN))
    found = re.search(r'<h1 id="title">(.*?)<small>', document, re.DOTALL)
    assert found
    assert unescape(found[1]) == f"title {HOSTILE}"


def test_the_page_finds_what_is_searched(tmp_path):
    page = rendered("flamegraph.html", PLAIN)
    document = seen(tmp_path, "a.html", page, "#search=parse")
    assert text_of(document, "status").startswith("matched: 43.00 %")


def test_the_page_finds_by_regular_expression(tmp_path):
    page = rendered("flamegraph.html", PLAIN)
    document = seen(tmp_path, "a.html", page, f"#search={quote('/^(net_rx|.stripped.)$/')}")
    assert text_of(document, "status").startswith("matched: 31.00 %")


def test_the_page_zooms(tmp_path):
    page = rendered("flamegraph.html", PLAIN)
    document = seen(tmp_path, "a.html", page, "#zoom=sys_write")
    assert "zoomed into sys_write" in text_of(document, "status")
    assert "45 samples, 45.00 %" in text_of(document, "status")


def test_the_page_of_a_comparison_says_what_changed(tmp_path):
    page = rendered("flamegraph.html", COMPARED)
    document = seen(tmp_path, "a.html", page, "#zoom=e1000_xmit")
    assert "before: 0 samples, 0.00 % · +25.00 percentage points" in text_of(document, "status")


def test_the_page_of_a_comparison_says_what_is_noise(tmp_path):
    page = rendered("flamegraph.html", COMPARED)
    document = seen(tmp_path, "a.html", page, f"#zoom={quote('[stripped]')}")
    assert "(noise)" in text_of(document, "status")


def test_the_picture_finds_what_is_searched(tmp_path):
    data = rendered("flamegraph.svg", PLAIN)
    document = seen(tmp_path, "a.svg", data, "#search=parse")
    assert text_of(document, "details") == "matched: 43.00 %"


def test_the_picture_zooms(tmp_path):
    data = rendered("flamegraph.svg", PLAIN)
    document = seen(tmp_path, "a.svg", data, "#zoom=sys_write")
    box = re.search(r'data-n="sys_write".*?<rect[^>]*>', document, re.DOTALL)
    assert box
    assert 'width="1180"' in box[0]


READ_PPROF = """
const { Profile } = require("pprof-format");
const zlib = require("zlib");
const data = zlib.gunzipSync(require("fs").readFileSync(process.argv[1]));
const found = Profile.decode(data);
const text = (index) => found.stringTable.strings[Number(index)];
const functions = new Map(found.function.map((one) => [String(one.id), text(one.name)]));
const places = new Map(
  found.location.map((one) => [String(one.id), functions.get(String(one.line[0].functionId))]),
);
console.log(JSON.stringify({
  types: found.sampleType.map((one) => [text(one.type), text(one.unit)]),
  samples: found.sample.map((one) => [
    one.locationId.map((id) => places.get(String(id))),
    one.value.map(Number),
    Object.fromEntries(one.label.map((label) => [text(label.key), text(label.str)])),
  ]),
}));
"""


def test_the_pprof_reader_of_npm_reads_the_same_stacks(tmp_path):
    npm_peer("pprof-format")
    path = tmp_path / "p.pb.gz"
    path.write_bytes(rendered("pprof", PLAIN))
    done = subprocess.run(
        ["node", "-e", READ_PPROF, str(path)],
        capture_output=True, text=True, check=True, timeout=SECONDS, cwd=PEERS,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["types"][:2] == [["GLOBAL_POWER_EVENTS_sample", "count"],
                                  ["GLOBAL_POWER_EVENTS", "count"]]  # fmt: skip
    assert found["samples"][4] == [
        ["e1000_xmit", "net_rx", "do_grant", "sys_write", "main"],
        [25, 2_500_000, 8, 1_600_000, 2, 2_000],
        {"domain": "Domain-0", "layer": "kernel", "origin": "web"},
    ]


@pytest.mark.parametrize(
    ("name", "file", "title"),
    [
        ("speedscope", "a.json", "opened by us"),
        ("pprof", "a.pb.gz", "a.pb.gz"),  # the format has no title, so it is the file's name
    ],
)
def test_speedscope_opens_it(tmp_path, name, file, title):
    """It loads a profile at once from a script that names it, as its own program does."""
    release = npm_peer("speedscope") / "dist" / "release"
    shutil.copytree(release, tmp_path / "app")
    content = base64.b64encode(rendered(name, Request(profile(), title="opened by us"))).decode()
    script = f"speedscope.loadFileFromBase64({json.dumps(file)}, {json.dumps(content)})"
    (tmp_path / "app" / "load.js").write_text(script)
    hash_ = f"#localProfilePath={quote(str(tmp_path / 'app' / 'load.js'))}"
    document = browse(
        tmp_path, f"{(tmp_path / 'app' / 'index.html').as_uri()}{hash_}",
        "--enable-unsafe-swiftshader", "--allow-file-access-from-files",
    )  # fmt: skip
    assert re.search(rf"{title}[^<]* - speedscope", document)  # losses may follow the title
