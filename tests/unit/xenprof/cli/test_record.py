"""`xenprof record` where there is no Xen."""

from tests.support.importing import run
from xenprof.cli.main import main


def test_each_way_says_what_it_lacks_here(tmp_path):
    code, out, err = run(main, "record", "-o", tmp_path / "out")

    assert (1, "") == (code, out)
    assert "record: nothing can be profiled here: perf: Xen gives this domain no PMU" in err
    assert "contexts: there is no /dev/xen/privcmd: run this in domain 0" in err


def test_one_way_alone_can_be_asked_for(tmp_path):
    _, _, err = run(main, "record", "-o", tmp_path / "out", "--by", "contexts")

    assert "perf" not in err
