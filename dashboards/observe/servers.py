"""Starts Prometheus and Alertmanager on the service of a HOME, and ends them."""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dashboards.observe import kept, ownfiles
from dashboards.observe.configs import (
    ALERTMANAGER_WEB,
    PROMETHEUS_WEB,
    configs,
    every_name,
    lookback,
    notice_ms,
    scraped_url,
)
from dashboards.observe.guard import Guard, Webhook
from dashboards.observe.health import check_scraped
from dashboards.observe.page import LOOPBACK, Page
from dashboards.observe.server import Server, config_option, end, log_name
from dashboards.observe.settings import FOLDER, CannotObserve, ObserveSettings
from xenprof.service.home_lock import current_holder
from xenprof.service.own_home import make_private_folder, private_files
from xenprof.service.webconfig import WebConfig, WebConfigFile

PROGRAMS = {
    "prometheus": ("prometheus",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),  # Debian's name first
}
_HIDING = (0, 26)
_VERSION = re.compile(r"version (\d+)\.(\d+)")
_PACKAGES = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}


@dataclass(frozen=True, slots=True)
class Observing:
    """Both servers, Prometheus last; `doubt` says why it is not known whether that scrapes."""

    servers: Sequence[Server]
    doubt: str


def up(settings: ObserveSettings) -> Observing:
    """Start both servers, or bring them up to date; return them when they are ready.

    Raises:
        CannotObserve: no service runs or it cannot be scraped, a program is missing, a port is
            taken.
        WebConfigError: the web configuration cannot be used.
    """
    web = WebConfigFile(settings.web_config).current() if settings.web_config else WebConfig()
    guard = Guard.of(web.basic_auth_users) if web.basic_auth_users else None
    programs = _programs()
    is_hidden = hides_urls(programs["alertmanager"])
    webhook = Webhook.parse(settings.webhook) if settings.webhook is not None else None
    if webhook is not None and guard is None and not is_hidden:
        webhook.check_shown()
    holder = current_holder(settings.home)
    _, _, url = holder.partition(", ")
    if not url:
        raise CannotObserve(
            f"no xenprof service runs on {settings.home}; start it with: xenprof serve --background"
        )
    servers = _servers(settings, web, guard, programs)
    with _alone(settings.folder):
        for server in servers:
            server.check_port()
        written = configs(settings, url, guard, hides_urls=is_hidden)
        for name, text in written.items():
            path = settings.folder / name
            make_private_folder(path.parent)
            ownfiles.write(path, text)
        kept.write(settings.folder, settings.typed)
        try:
            for server in servers:
                server.start()
            _remove(settings.folder, [name for name in every_name() if name not in written])
        except CannotObserve as error:
            raise CannotObserve(webhook.hide(str(error)) if webhook else str(error)) from None
    return Observing(servers, check_scraped(servers[-1].page, scraped_url(settings, url)))


def down(home: Path) -> Sequence[str]:
    """End those of both servers that `up` has started; return the names of those that ran.

    Their data stay, everything else that was written goes.
    """
    folder = home / FOLDER
    if not folder.is_dir():
        return []
    with _alone(folder):
        kept.forget(folder)
        ended = [name for name in PROGRAMS if end(folder, name)]
        _remove(folder, [*every_name(), *map(log_name, PROGRAMS)])
        return ended


def _remove(folder: Path, names: Iterable[str]) -> None:
    """Remove what nobody reads any more, as there may be passwords and tokens in it."""
    for name in names:
        (folder / name).unlink(missing_ok=True)


def _servers(
    settings: ObserveSettings, web: WebConfig, guard: Guard | None, programs: dict[str, str]
) -> Sequence[Server]:
    folder = settings.folder
    users = [f"--web.config.file={folder / ALERTMANAGER_WEB}"] if guard else []
    own = []
    if settings.web_config is not None:
        file = folder / PROMETHEUS_WEB if guard else settings.web_config.absolute()
        own = [f"--web.config.file={file}"]
    is_encrypted = web.tls_server_config is not None
    alerts = Page(settings.alertmanager_port, guard=guard)
    queries = Page(settings.prometheus_port, is_encrypted, guard)
    return (
        Server(
            name="alertmanager",
            title="Alertmanager",
            folder=folder,
            arguments=(
                programs["alertmanager"],
                config_option(folder, "alertmanager"),
                f"--storage.path={folder / 'alertmanager'}",
                *_listening(alerts),
                "--cluster.listen-address=",  # it is alone: by default it listens for others
                *users,
            ),
            page=alerts,
            option="OBSERVE_ALERTMANAGER_PORT",
        ),
        Server(
            name="prometheus",
            title="Prometheus",
            folder=folder,
            arguments=(
                programs["prometheus"],
                config_option(folder, "prometheus"),
                f"--storage.tsdb.path={folder / 'prometheus'}",
                *_listening(queries),
                f"--query.lookback-delta={lookback(settings.pace)}",
                "--enable-feature=exemplar-storage",
                # What it tells while it reads its configuration again is lost, and told again then.
                f"--rules.alert.resend-delay={notice_ms(settings.pace)}ms",
                *own,
            ),
            page=queries,
            option="OBSERVE_PROMETHEUS_PORT",
        ),
    )


def _listening(page: Page) -> Sequence[str]:
    """Return where a server listens, and that its links lead there: its own are by host name."""
    return f"--web.listen-address={LOOPBACK}:{page.port}", f"--web.external-url={page.url}"


def _programs() -> dict[str, str]:
    """Return the path of each program. Raises: CannotObserve."""
    found = {
        server: path
        for server, names in PROGRAMS.items()
        if (path := next(filter(None, map(shutil.which, names)), None))
    }
    if missing := [package for server, package in _PACKAGES.items() if server not in found]:
        raise CannotObserve(
            f"{' and '.join(missing)} missing; install: apt-get install {' '.join(missing)}"
        )
    return found


def hides_urls(alertmanager: str) -> bool:
    """Return whether an Alertmanager reads the URL of a webhook from a file, as 0.26 and later."""
    told = subprocess.run([alertmanager, "--version"], capture_output=True, text=True, check=False)
    found = _VERSION.search(told.stdout + told.stderr)
    return found is not None and (int(found[1]), int(found[2])) >= _HIDING


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others out who start or end the same servers."""
    make_private_folder(folder)
    with private_files():
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
