"""Starts Prometheus and Alertmanager on the service of a HOME, and ends them."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dashboards.observe.configs import ALERTMANAGER_WEB, configs
from dashboards.observe.guard import Guard, Webhook
from dashboards.observe.server import LOOPBACK, Server, config_option, end
from dashboards.observe.settings import FOLDER, CannotObserve, ObserveSettings
from xenprof.service.home_lock import current_holder
from xenprof.service.own_home import make_private_folder, private_files
from xenprof.service.webconfig import WebConfig, WebConfigFile

PROGRAMS = {
    "prometheus": ("prometheus",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),  # Debian's name first
}
_PACKAGES = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}


def up(settings: ObserveSettings) -> Sequence[Server]:
    """Start both servers, or bring them up to date; return them when they are ready.

    Raises:
        CannotObserve: no service runs, a program is missing, a port is taken.
        WebConfigError: the web configuration cannot be used.
    """
    web = WebConfigFile(settings.web_config).current() if settings.web_config else WebConfig()
    guard = Guard.of(web.basic_auth_users) if web.basic_auth_users else None
    if settings.webhook is not None:
        Webhook.parse(settings.webhook).check_shown(guard)
    programs = _programs()
    holder = current_holder(settings.home)
    _, _, url = holder.partition(", ")
    if not url:
        raise CannotObserve(
            f"no xenprof service runs on {settings.home}; start it with: xenprof serve --background"
        )
    servers = _servers(settings, web, programs)
    with _alone(settings.folder):
        for server in servers:
            server.check_port()
        for name, text in configs(settings, url, guard).items():
            path = settings.folder / name
            make_private_folder(path.parent)
            path.write_text(text, encoding="utf-8")
        for server in servers:
            server.start()
    return servers


def down(home: Path) -> Sequence[str]:
    """End those of both servers that `up` has started; return the names of those that ran."""
    folder = home / FOLDER
    if not folder.is_dir():
        return []
    with _alone(folder):
        return [name for name in PROGRAMS if end(folder, name)]


def _servers(
    settings: ObserveSettings, web: WebConfig, programs: dict[str, str]
) -> Sequence[Server]:
    folder = settings.folder
    users = [f"--web.config.file={folder / ALERTMANAGER_WEB}"] if web.basic_auth_users else []
    page = [f"--web.config.file={settings.web_config.absolute()}"] if settings.web_config else []
    return (
        Server(
            name="alertmanager",
            title="Alertmanager",
            folder=folder,
            arguments=(
                programs["alertmanager"],
                config_option(folder, "alertmanager"),
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address={LOOPBACK}:{settings.alertmanager_port}",
                "--cluster.listen-address=",  # it is alone: by default it listens for others
                *users,
            ),
            port=settings.alertmanager_port,
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
                f"--web.listen-address={LOOPBACK}:{settings.prometheus_port}",
                "--enable-feature=exemplar-storage",
                *page,
            ),
            port=settings.prometheus_port,
            option="OBSERVE_PROMETHEUS_PORT",
            is_encrypted=web.tls_server_config is not None,
        ),
    )


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
