"""Watches the running service with Prometheus and Alertmanager (`python -m dashboards.observe`).

`up` starts them with the rules of this project, `down` ends them; `make observe` and `make down`
call these.
"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from dashboards.observe import kept
from dashboards.observe.servers import down, up
from dashboards.observe.settings import Access, CannotObserve, ObserveSettings
from dashboards.rules.files import RUNBOOKS
from dashboards.rules.rule import Pace
from xenprof.cli.durations import Duration
from xenprof.cli.options import WholeNumber, home_at, state_dir_option
from xenprof.cli.weburls import url_path, web_address
from xenprof.errors import XenprofError

_NS_PER_SECOND = 10**9
_SHORTEST_WINDOW_S = 5  # a rate needs several scrapes in it
_LONGEST_WINDOW_S = 24 * 3600  # the times of alerts are up to 12 times as long; judgement


class _File(click.Path):
    """A file that Prometheus reads too, so that it is no pipe."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path of a regular file."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.is_file():
            self.fail(f"{str(path)!r} is not a regular file.", param, ctx)
        return path


_FILE = _File(exists=True, dir_okay=False)
_PORT = WholeNumber(1, 65535)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Watch the running service with Prometheus and Alertmanager."""


@main.command("up")
@click.option(
    "--prometheus-port",
    envvar="OBSERVE_PROMETHEUS_PORT",
    type=_PORT,
    default=9090,
    show_envvar=True,
)
@click.option(
    "--alertmanager-port",
    envvar="OBSERVE_ALERTMANAGER_PORT",
    type=_PORT,
    default=9093,
    show_envvar=True,
)
@click.option(
    "--window",
    envvar="OBSERVE_WINDOW",
    type=Duration(),
    default="5m",
    show_default=True,
    show_envvar=True,
    help="Range of all rates; the times before alerts fire shrink with it. 20s shows one soon.",
)
@click.option(
    "--metrics-path",
    envvar="OBSERVE_METRICS_PATH",
    callback=url_path,
    default="/metrics",
    show_envvar=True,
)
@click.option("--user", envvar="OBSERVE_USER", show_envvar=True, help="For the service's password.")
@click.option("--password-file", envvar="OBSERVE_PASSWORD_FILE", type=_FILE, show_envvar=True)
@click.option("--ca-file", envvar="OBSERVE_CA_FILE", type=_FILE, show_envvar=True)
@click.option("--cert-file", envvar="OBSERVE_CERT_FILE", type=_FILE, show_envvar=True)
@click.option("--key-file", envvar="OBSERVE_KEY_FILE", type=_FILE, show_envvar=True)
@click.option(
    "--server-name",
    envvar="OBSERVE_SERVER_NAME",
    show_envvar=True,
    help="The name in the service's certificate, if that has not the address.",
)
@click.option(
    "--web-config",
    envvar="OBSERVE_WEB_CONFIG",
    type=_FILE,
    show_envvar=True,
    help="TLS of Prometheus' own page, passwords of both pages.",
)
@click.option(
    "--webhook",
    envvar="OBSERVE_WEBHOOK",
    callback=web_address,
    show_envvar=True,
    metavar="URL",
    help="Told of alerts. Give it in the environment if there is a token in it.",
)
@click.option(
    "--runbooks",
    envvar="OBSERVE_RUNBOOKS",
    callback=web_address,
    show_envvar=True,
    metavar="URL",
    help="Where docs/runbooks.md is served, for the links of alerts.",
)
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    is_eager=True,
    callback=kept.recall,
    help="Instead of $XENPROF_HOME.",
)
@click.pass_context
def _up(
    context: click.Context,
    prometheus_port: int,
    alertmanager_port: int,
    window: int,
    metrics_path: str,
    user: str | None,
    password_file: Path | None,
    ca_file: Path | None,
    cert_file: Path | None,
    key_file: Path | None,
    server_name: str | None,
    web_config: Path | None,
    webhook: str | None,
    runbooks: str | None,
    state_dir: Path | None,
) -> None:
    """Start both, print their addresses when the service is scraped.

    Settings are kept until `down`.
    """
    if told := kept.told(context):  # first, as what is wrong may be one of them
        print(f"observe: {told}", file=sys.stderr)
    window_s = window // _NS_PER_SECOND
    if not _SHORTEST_WINDOW_S <= window_s <= _LONGEST_WINDOW_S:
        raise CannotObserve(f"a window is at least {_SHORTEST_WINDOW_S}s and at most 24h")
    if prometheus_port == alertmanager_port:
        raise CannotObserve("Prometheus and Alertmanager need two ports")
    if (user is None) != (password_file is None):
        raise CannotObserve("a user needs a file with the password, and the other way round")
    if user is not None and (not user.isprintable() or ":" in user):
        raise CannotObserve("a user's name has no colon and no control characters")
    if (cert_file is None) != (key_file is None):
        raise CannotObserve("a certificate needs its key, and the other way round")
    observing = up(
        ObserveSettings(
            home=home_at(state_dir),
            prometheus_port=prometheus_port,
            alertmanager_port=alertmanager_port,
            pace=Pace(window_s),
            metrics_path=metrics_path,
            access=Access(user, password_file, ca_file, cert_file, key_file, server_name),
            web_config=web_config,
            webhook=webhook,
            runbooks=runbooks or RUNBOOKS,
            typed=kept.typed(context),
        )
    )
    for server in reversed(observing.servers):
        print(f"{server.title}: {server.page.url}")
    if observing.doubt:
        print(f"observe: Prometheus runs, but {observing.doubt}", file=sys.stderr)


@main.command("down")
@state_dir_option
def _down(state_dir: Path | None) -> None:
    """End those that `up` has started."""
    if ended := down(home_at(state_dir)):
        print(f"observe: ended {' and '.join(ended)}")


def run() -> int:
    """Run the command that is typed; return the exit code."""
    try:
        main.main(standalone_mode=False, prog_name="python -m dashboards.observe")
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.UsageError) and (told := kept.told_of(error)):
            print(f"observe: {told}", file=sys.stderr)
        return error.exit_code
    except XenprofError as error:
        print(f"observe: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"observe: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run())
