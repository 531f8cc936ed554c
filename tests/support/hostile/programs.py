"""Draws hostile command lines for every program: good ones, with one or two things wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.support.e2e.tiny import TINY
from tests.support.hostile.values import data, text

SESSION = "-R seen --session-dir seen/var/lib/oprofile session:later"
LINES = (
    "opcontrol --status",
    "opcontrol --setup --no-vmlinux --event=GLOBAL_POWER_EVENTS:100000 --separate=all",
    "opcontrol --domain busy --setup --vmlinux=FILE --buffer-size=65536",
    "opcontrol --start --no-vmlinux --active-domains=0 --passive-domains=1 --passive-images=FILE",
    "opcontrol --start-daemon --xen=FILE --no-vmlinux --callgraph=4 --verbose=all",
    "opcontrol --kernel-range=1000,2000 --no-xen --image=/bin/a,/bin/b",
    "opcontrol --session-dir=/var/lib/other --dump",
    "opcontrol --save=first",
    "opcontrol --reset",
    "opcontrol --shutdown",
    "opcontrol --list-events",
    f"opreport -l -w -d {SESSION} --threshold=1 --merge=cpu,lib --sort=vma,image",
    f"opreport {SESSION} image:/usr/bin/prog event:CPU_CLK_UNHALTED count:100000 tgid:1 cpu:0",
    "opreport --session-dir=FILES --domain 0 -c -X -o FILES/out",
    "opreport { archive:seen } { archive:FILES }",
    f"opannotate --source --assembly {SESSION} --base-dirs=/a --objdump-params=-C -o FILES/out",
    f"opgprof {SESSION} image:/usr/bin/prog -o FILES/gmon",
    f"oparchive -o FILES/archive --list-files {SESSION} --exclude-dependent",
    "opimport -a FILE -o FILES/imported FILE --force",
    "ophelp --cpu-type=i386/p4 --unit-mask=GLOBAL_POWER_EVENTS --get-default-event",
    "ophelp --check-events GLOBAL_POWER_EVENTS:100000:1:1:1 --callgraph=4 -X",
    "xm list --long busy",
    "xm create FILE name=a memory=64 vcpus=2 -p -c",
    "xm create -F FILE --dryrun",
    "xm mem-set busy 128",
    "xm mem-max busy 128",
    "xm vcpu-set busy 1",
    "xm vcpu-pin busy all 0-3,^1",
    "xm vcpu-list busy",
    "xm sched-credit -d busy -w 256 -c 50",
    "xm sched-sedf busy -p 10 -s 1 -l 0 -e 1 -w 2",
    "xm block-attach busy phy:sdb1 xvdb w",
    "xm block-detach busy xvdb -f",
    "xm block-list busy --long",
    "xm network-attach busy mac=00:16:3e:00:00:01 bridge=xenbr0 rate=1Mb/s",
    "xm network-detach busy 0",
    "xm network-list busy",
    "xm rename nobody other",
    "xm domid busy",
    "xm domname 1",
    "xm uptime -s busy",
    "xm sysrq busy h",
    "xm dump-core busy FILES/core -L",
    "xm save nobody FILES/saved",
    "xm restore FILE -p",
    "xm new FILE",
    "xm start nobody",
    "xm delete nobody",
    "xm pause busy",
    "xm unpause busy",
    "xm info",
    "xm dmesg -c",
    "xm debug-keys h",
    "xm top -b -i 1",
    "xm vnet-create FILE",
    "xm addlabel busy dom a",
    "xm help create",
    "xenprof xenstore-ls -f /local",
    "xenprof xenstore-read -p /local/domain/0/name",
    "xenprof xenstore-list /local",
    "xenprof virsh list --all",
    "xenprof virsh dominfo busy",
    "xenprof virsh setmem busy 131072",
    "xenprof virsh create FILE",
    "xenprof virsh vcpupin busy 0 0",
    "xenprof virsh -c xen:/// dumpxml busy",
    "xenprof console busy ps aux",
    "xenprof console 0 vmstat 1 1",
    "xenprof console busy cat /proc/stat",
    "xenprof import folded FILE -o FILES/imported --domain a --event b --period 3 --cpu-type timer",
    "xenprof import perf FILE -o FILES/imported",
    "xenprof import pprof FILE -o FILES/imported",
    "xenprof import xenoprof FILE -o FILES/imported",
    "xenprof report --session seen --by layer --limit 3 --threshold 1 --format json",
    "xenprof report --domain busy --since 5m --until now --tree top-down",
    "xenprof report --session seen --compare FILES --event CPU_CLK_UNHALTED",
    "xenprof report --format perfetto --trace FILE --mhz 2400 -o FILES/out",
    "xenprof report --session seen --format pprof -o FILES/out -p FILES",
    "xenprof run --scenario SCENARIO --for 1ms --seed 3",
    "xenprof run --scenario FILE --for 1ms --json",
    "xenprof run --scenario SCENARIO --for 1ms --commands FILE --profile GLOBAL_POWER_EVENTS:100000",
    "xenprof trace FILES/trace --for 1ms -e 0x0002f000 -c 1 -S 20",
    "xenprof trace --dump FILE --mhz 2400",
    "xenprof trace --summary FILE",
    "xenprof xenmon --screens 1 -i 1000 --cpu 0",
    "xenprof profile --active 0 --passive 1 --event GLOBAL_POWER_EVENTS:100000 --for 1ms",
    "xenprof serve --web.listen-address nowhere:none --web.config.file FILE --speed 2 --history 10s",
    "xenprof validate --rows 41 --json",
    "xenprof --version",
)  # fmt: skip
_CONFIG = b"""name = "web"
memory = 64
vcpus = 1
kernel = "/boot/vmlinuz"
disk = ['phy:sdb1,xvda,w']
vif = ['mac=00:16:3e:00:00:05, bridge=xenbr0']
extra = "ro" + " quiet"
cpus = "0-3,^1"
"""
_GOOD_FILES = (
    TINY.encode(),
    _CONFIG,
    b'(vm (name web) (memory 64) (image (linux (kernel "/boot/vmlinuz"))) (device (vif)))\n',
    b'{"time_ns": 1000, "name": "pause", "domain": "busy", "arguments": {}}\n',
    b'{"time_ns": 1000, "name": "set-memory", "domain": "busy", "arguments": {"mib": 64}}\n',
    b"main;work;[kernel] 3\nmain;idle 5\n",
    b"prog 1234 [000] 12.345678: 100 cycles:\n\tffffffff8100 schedule+0x10 ([kernel.kallsyms])\n\n",
    b"<domain><name>web</name><memory>65536</memory><vcpu>1</vcpu></domain>\n",
    b"basic_auth_users:\n  alice: $2b$04$abcdefghijklmnopqrstuuTkVZ5mGxZ9xZJ2x0ZbqGZL1r1G1bFGa\n",
)
_WORDS = (
    "-h", "--help", "--", "-", "--domain", "--session-dir", "--state-dir", "FILE", "FILES", "seen",
    "missing", "/dev/null", "/dev/full", "/", "busy", "0", "1", "99", "nobody",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HostileCommand:
    """A command line, and what `FILE` on it holds. `SCENARIO` is a good scenario."""

    words: tuple[str, ...]
    file: bytes


def commands(seed: int) -> Iterator[HostileCommand]:
    """Yield hostile command lines without end, the same ones for the same seed."""
    random = Random(seed)
    while True:
        words = random.choice(LINES).split()
        for _ in range(random.choice((0, 1, 1, 1, 2))):
            _spoil(random, words)
        yield HostileCommand(tuple(map(_typed, words)), _file(random))


def _spoil(random: Random, words: list[str]) -> None:
    """Change one word after the program's name: replace, insert, leave out or repeat it."""
    at = random.randrange(1, len(words)) if len(words) > 1 else 1
    new = text(random) if random.random() < 0.7 else random.choice(_WORDS)
    match random.randrange(6):
        case 0:
            words.insert(at, new)
        case 1:
            del words[at : at + 1]
        case 2:
            words[at : at + 1] = words[at : at + 1] * 2
        case _:
            name, equals, _ = words[at].partition("=") if at < len(words) else ("", "", "")
            words[at : at + 1] = [f"{name}={new}" if equals else new]


def _typed(word: str) -> str:
    """Return a word as a shell can pass it: without NUL, and with bytes for what is no text."""
    return word.replace("\0", "").encode(errors="surrogatepass").decode(errors="surrogateescape")


def _file(random: Random) -> bytes:
    if random.random() < 0.4:
        return data(random)
    good: Sequence[int] | bytes = random.choice(_GOOD_FILES)
    content = bytes(good)
    for _ in range(random.choice((0, 1, 1, 2))):
        at = random.randrange(len(content) + 1)
        until = min(at + random.choice((0, 1, 3, 20)), len(content))
        new = text(random).encode(errors="surrogatepass")
        content = (
            content[:at] + random.choice((b"", new, b"9" * 5000, b"(" * 3000)) + content[until:]
        )
    return content
