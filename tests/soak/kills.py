"""Kills a process that writes samples at random moments: what it has answered must be there.

tests/e2e/test_history_kill.py kills whole services, fewer of them in the same time.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from xenprof.disk import Disk
from xenprof.oprofiled.writer import SampleWriter
from xenprof.profile.flat import ImageName, SampleFile, SampleHeader, SampleKey
from xenprof.store.placing import damaged_files
from xenprof.store.sessiondir import SessionDir, read_profile

KILLS = int(os.environ.get("XENPROF_KILLS", "1000"))
SEED = int(os.environ.get("XENPROF_KILL_SEED", "1"))
LATEST_SECONDS = 0.6
IMAGES = 24
SAMPLES = 50  # of each image in a dump


def dump() -> list[SampleFile]:
    """Return one dump: new samples of every image."""
    files = []
    for number in range(IMAGES):
        name = ImageName("root", f"/usr/bin/program{number}")
        key = SampleKey(name, name, "GLOBAL_POWER_EVENTS", 100000, 1, None, None, None)
        header = SampleHeader("i386/p4", 0x1D, 1, 100000, False, 3200.0, 0, 0)
        offsets = np.arange(SAMPLES, dtype=np.uint64)
        files.append(SampleFile(key, header, offsets, np.ones(SAMPLES, np.uint64)))
    return files


def write_for_ever(session: Path, disk: Disk, answers: int) -> None:
    """Write dumps until the end, and answer each by a byte."""
    writer = SampleWriter(session, lambda line: None, disk=disk)
    while True:
        writer.write(dump())
        os.write(answers, b"+")


def killed(session: Path, disk: Disk, seconds: float) -> int:
    """Let a process write for a while, and kill it; return how many dumps it has answered."""
    told, answers = os.pipe()
    child = os.fork()
    if not child:
        os.close(told)
        try:
            write_for_ever(session, disk, answers)
        finally:
            os._exit(1)
    os.close(answers)
    killer = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
    killer.start()
    with os.fdopen(told, "rb") as pipe:
        answered = len(pipe.read())  # until the process has ended
    killer.join()
    os.waitpid(child, 0)
    return answered


def run(folder: Path, kills: int = KILLS, clock: Callable[[], float] = time.monotonic) -> str:
    """Kill `kills` times. Raises: AssertionError: a sample is missing or a file is damaged."""
    moment, home = random.Random(SEED), SessionDir(folder / "oprofile")
    home.create()
    begun, dumps, unfinished = clock(), 0, 0
    stored = 0
    for number in range(kills):
        dumps += (answered := killed(home.current, Disk(), moment.uniform(0, LATEST_SECONDS)))
        now = sum(file.total for file in read_profile(home.path).files)
        least = stored + answered * IMAGES * SAMPLES
        assert least <= now <= least + IMAGES * SAMPLES, f"kill {number}: {now} of {least} samples"
        assert not damaged_files(home.current), f"kill {number}: a file is damaged"
        stored = now
        unfinished += len(list(home.current.glob(".writing.*")))
        home.create()  # as the next daemon does
    assert not list(home.path.rglob(".writing.*")), "unfinished files are left"
    return (
        f"{kills} kills in {clock() - begun:.0f} s: {dumps} dumps answered, {stored} samples, "
        f"none missing; {unfinished} unfinished files removed"
    )
