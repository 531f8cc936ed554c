from xenprof.oprofiled import log


def test_a_long_log_becomes_its_predecessor(tmp_path, monkeypatch):
    monkeypatch.setattr(log, "MAX_BYTES", 100)
    file = log.LogFile(tmp_path / "oprofiled.log")
    for number in range(60):
        file.write(f"line {number}")
    kept = "".join((tmp_path / name).read_text() for name in ("oprofiled.log.1", "oprofiled.log"))
    assert 2 == len(list(tmp_path.iterdir()))
    assert (True, True) == (kept.endswith("line 59\n"), len(kept) < 220)
