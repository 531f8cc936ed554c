"""Keeps numpy from starting threads for linear algebra, of which nothing here has any."""

import os


def start_no_numpy_threads() -> None:
    """Take effect on the first import of numpy: 100 ms of processor time of each program."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
