from xenprof.store.unseen import read_unseen, write_unseen


def test_what_is_noted_is_read_back(tmp_path):
    write_unseen(tmp_path, ["idle_seconds 1.5", "unprofiled_domains a b,c"])
    expected = [("idle_seconds", "1.5"), ("unprofiled_domains", "a b,c")]
    assert expected == list(read_unseen(tmp_path))


def test_a_session_without_notes_has_none(tmp_path):
    assert [] == list(read_unseen(tmp_path))
