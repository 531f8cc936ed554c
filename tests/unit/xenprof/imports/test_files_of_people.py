"""Files that people have, from the command line to folded stacks."""

import pytest

from tests.support.importing import imported, profile
from tests.support.paths import TESTS
from xenprof.report.formats import load
from xenprof.report.formats.request import Request

PEOPLE = TESTS / "fixtures" / "people"


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("full.folded", ["program`P10;program`T11;program`/srv/t.py:main:6;program`/srv/u.py:parse:79 180"]),
        ("php.folded", ["program`{main};program`App->run;program`{closure};program`strlen 3",
                        "program`{main};program`{closure:/srv/a.php:12};program`usleep 2"]),
        ("dotnet.folded", ["program`Program.Main;program`System.Collections.Generic.List`1.Add;"
                           "program`System.Array.Resize 5"]),
        ("dotnet2.folded", ["program`app!Program.Main();program`System.Private.CoreLib!System.Threading."
                            "Tasks.Task`1[System.Int32].InnerInvoke() 5"]),
        ("dtrace.folded", ["unix`_sys_sysenter;genunix`ioctl 7"]),
        *((name, ["program`a;program`b 1", "program`a;program`c 2"])
          for name in ("nonl.folded", "bom.folded", "utf16.folded")),
        ("branches.txt", ["x`a 1", "x`b 1"]),
        ("mem.txt", ["x`a 1"]),
        ("comm.txt", ["b`a 7"]),
        ("minimal.txt", ["x`a 2"]),
        ("old.txt", ["perf-4000.map`LDemo:::main;perf-4000.map`Ldemo/Out:::put;"
                     "libjvm.so`copy(Kind) const 1"]),
        ("space.txt", ["[unknown];run`loop;run`tick 1"]),
        ("srcline.txt", ["x`main;x`foo 1"]),
        ("nomapping.pb", ["[unknown]`main.main 1",
                          "[unknown]`main.main;[unknown]`runtime.mallocgc 3"]),
        ("nodejs.pb", ["[unknown]`(anonymous) 3", "[unknown]`(anonymous);[unknown] 2",
                       "[unknown]`(program) 1"]),
        ("goheap.pb.gz", ["app`main.main;app`runtime.mallocgc;app`main.inl 1024"]),
    ],
)  # fmt: skip
def test_a_file_shows_what_its_own_tools_show(tmp_path, file, lines):
    kind = {"folded": "folded", "txt": "perf"}.get(file.partition(".")[2], "pprof")
    imported(kind, PEOPLE / file, tmp_path / "out")

    text = b"".join(load("folded")(Request(profile(tmp_path / "out")))).decode()
    assert [f"{{Domain-0}};{line}" for line in lines] == text.splitlines()
