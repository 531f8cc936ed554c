"""`xenprof`: the service, the runs without one, and every other program as a subcommand."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from xenprof.cli.heap import end_without_collecting, lasting
from xenprof.cli.stdout import ends_well
from xenprof.cli.threads import start_no_numpy_threads

PROGRAMS: Mapping[str, tuple[str, str, str]] = {
    "agent": ("agent", "main", "Serve what the Xen of this machine does; run it in domain 0."),
    "console": ("console", "login_main", "Open a shell in a domain, domain 0 too."),
    "ocount": ("elsewhere", "ocount_main", "Says what to use here instead."),
    "opannotate": ("opannotate", "main", "Show samples beside source lines or instructions."),
    "oparchive": ("oparchive", "main", "Copy a session with its images to take elsewhere."),
    "opcontrol": ("opcontrol", "main", "Control profiling in a domain, as oprofile does."),
    "operf": ("elsewhere", "operf_main", "Says what to use here instead."),
    "opgprof": ("opgprof", "main", "Make a gmon.out for gprof."),
    "ophelp": ("ophelp", "main", "List the events of a CPU type."),
    "opimport": ("opimport", "main", "Convert a sample file of another machine."),
    "opreport": ("opreport", "main", "Report where the samples fell."),
    "virsh": ("virsh", "main", "Look at and control domains, as libvirt's shell does."),
    "xenstore-list": ("xenstore", "list_main", "List what is below a node of the host's store."),
    "xenstore-ls": ("xenstore", "ls_main", "Show the host's store as a tree."),
    "xenstore-read": ("xenstore", "read_main", "Print the texts of nodes."),
    "xm": ("xm", "main", "Manage and watch domains, as xend's program does."),
}
"""Programs with an option grammar of their own, as `xenprof NAME ...`; words are passed unchanged.

Name -> module below xenprof.cli, its function, and help.
"""

COMMANDS: Mapping[str, tuple[str, str]] = {
    "advise": ("advise", "Give the Summit talk's advice for a host; measure what it brings."),
    "capture-scenario": (
        "capture_scenario",
        "Write a scenario of the host, fitted to what it does.",
    ),
    "experiment": ("experiment", "Run variants of a scenario, such as the charts of the talk."),
    "import": ("import_", "Bring in profiles that were taken elsewhere."),
    "profile": ("profile", "Profile domains of the running service and report."),
    "record": ("record", "Profile the host of this domain 0 in the best way that it has."),
    "report": ("report", "Report over all domains, in today's formats."),
    "run": ("run", "Run the model without a service, as fast as it can."),
    "serve": ("serve", "Run the service: model, control socket, exporters, web page."),
    "stop": ("stop", "Stop the running service; everything is written first."),
    "targets": ("targets", "Print the services on a list or below a folder, for Prometheus."),
    "top": ("top", "Watch a host as xentop does, with steal; record and replay it."),
    "trace": ("trace", "Record the trace rings of the running service, or read such a file."),
    "validate": ("validate", "Compare the model with published measurements."),
    "xenmon": ("xenmon", "Watch who gets the processors, live or into log files."),
}
"""Name -> module below xenprof.cli, which has a click command `command`; and its help."""


@ends_well("xenprof")
def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; the one place where errors become lines."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in PROGRAMS:
        module, function, _ = PROGRAMS[arguments[0]]
        program = import_module(f"xenprof.cli.{module}")
        return int(getattr(program, function)(arguments[1:]))
    import click

    from hypervisor.errors import HostError
    from hypervisor.oneline import one_line
    from xenprof.cli.notes import note_what_was_meant
    from xenprof.errors import XenprofError

    start_no_numpy_threads()
    end_without_collecting()
    try:
        result = _group().main(arguments, prog_name="xenprof", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.UsageError) and error.ctx is not None:
            _note_nearest_command(error.message)
            note_what_was_meant(error.message)
        return error.exit_code
    except (HostError, XenprofError) as error:
        print(f"xenprof: {one_line(str(error))}", file=sys.stderr)
        # The domains of a run are not those of the service.
        domains = () if arguments[:1] == ["run"] else None
        note_what_was_meant(str(error), _state_dir(arguments), domains)
        return error.exit_code
    return result if isinstance(result, int) else 0


def _state_dir(arguments: Sequence[str]) -> Path | None:
    """Return the HOME that --state-dir names, None without it."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name == "--state-dir":
            return Path(value if equals else following)
    return None


def _note_nearest_command(message: str) -> None:
    import re

    from xenprof.cli.notes import note_nearest

    if unknown := re.fullmatch(r"No such command '(.*)'\.", message, re.DOTALL):
        note_nearest(unknown[1], [*COMMANDS, *PROGRAMS], "xenprof {}")


def _group() -> Any:
    import click

    class Group(click.Group):
        """A group that imports a command when it is called; their help needs no import."""

        def list_commands(self, ctx: click.Context) -> list[str]:
            return sorted([*COMMANDS, *PROGRAMS])

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            if cmd_name not in COMMANDS:
                return None
            with lasting():
                command = import_module(f"xenprof.cli.{COMMANDS[cmd_name][0]}").command
            assert isinstance(command, click.Command)
            return command

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            for title, rows in (
                ("Commands", [(name, text) for name, (_, text) in COMMANDS.items()]),
                ("Programs", [(name, text) for name, (_, _, text) in PROGRAMS.items()]),
            ):
                with formatter.section(title):
                    formatter.write_dl(rows)

    def show_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            from hypervisor.compiled.engine import choose
            from xenprof.version import version

            engine = choose()
            print(f"xenprof {version()}")
            print(f"engine: {engine.name}" + (f" ({engine.reason})" if engine.reason else ""))
            ctx.exit()

    return Group(
        "xenprof",
        help="See what a Xen host is really doing.",
        params=[
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=show_version,
                help="Show the version and exit.",
            )
        ],
        context_settings={"help_option_names": ["-h", "--help"]},
        no_args_is_help=True,
    )


if __name__ == "__main__":
    sys.exit(main())
