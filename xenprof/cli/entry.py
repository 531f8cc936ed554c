"""The programs as they are installed: Ctrl-C ends them quietly, even while they are imported.

Nothing is imported here, as Ctrl-C would show a traceback until that is done.
"""

_INTERRUPTED = 130  # as in `stdout`


def _run(module: str, function: str = "main") -> int:
    """Run a function of a module below xenprof.cli; return the exit code."""
    came = []
    try:
        import signal
        from importlib import import_module

        def note(number: int, frame: object) -> None:
            came.append(number)
            raise KeyboardInterrupt

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, note)
        return int(getattr(import_module(f"xenprof.cli.{module}"), function)())
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception:
        if came:  # numpy tells of it as of a library that cannot be imported
            return _INTERRUPTED
        raise


def ocount() -> int:
    """Run `ocount`."""
    return _run("elsewhere", "ocount_main")


def opannotate() -> int:
    """Run `opannotate`."""
    return _run("opannotate")


def oparchive() -> int:
    """Run `oparchive`."""
    return _run("oparchive")


def opcontrol() -> int:
    """Run `opcontrol`."""
    return _run("opcontrol")


def operf() -> int:
    """Run `operf`."""
    return _run("elsewhere", "operf_main")


def opgprof() -> int:
    """Run `opgprof`."""
    return _run("opgprof")


def ophelp() -> int:
    """Run `ophelp`."""
    return _run("ophelp")


def opimport() -> int:
    """Run `opimport`."""
    return _run("opimport")


def opreport() -> int:
    """Run `opreport`."""
    return _run("opreport")


def xenprof() -> int:
    """Run `xenprof`."""
    return _run("main")


def xentop() -> int:
    """Run `xentop`."""
    return _run("xentop")


def xm() -> int:
    """Run `xm`."""
    return _run("xm.program")
