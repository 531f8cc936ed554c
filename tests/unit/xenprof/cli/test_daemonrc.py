from hypothesis import given
from hypothesis import strategies as st

from xenprof.cli.daemonrc import Daemonrc, DaemonrcFiles
from xenprof.wire.opcontrol import SEPARATIONS

PATHS = st.from_regex(r"/[a-z0-9_.\-]{1,8}", fullmatch=True)
SEPARATE = st.sets(st.sampled_from(SEPARATIONS)).map(
    lambda chosen: tuple(word for word in SEPARATIONS if word in chosen)
)
MEMORIES = st.builds(
    Daemonrc,
    session_dir=PATHS,
    events=st.lists(st.just("E:1:0:1:1"), max_size=3).map(tuple),
    separate=SEPARATE,
    vmlinux=st.sampled_from(["", "none"]) | PATHS,
    buffer_size=st.integers(0, 10**6).map(str) | st.sampled_from(["010", "0x100"]),
    kernel_range=st.sampled_from(["", "ffff0000,ffff1000"]),
    xen_image=st.just("none") | PATHS,
)


@given(memory=MEMORIES)
def test_daemonrc_reads_back_what_it_saved(tmp_path_factory, memory):
    files = DaemonrcFiles(tmp_path_factory.mktemp("root"), is_daemon_alive=False)
    files.save(memory)
    assert files.load() == memory
