"""Finds the services of many hosts, for Prometheus to scrape.

Services are found in HOMEs, in folders whose folders are HOMEs, and in lists that people keep.
Source: prometheus.io, documentation of file_sd_config and http_sd_config (the JSON).
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from hypervisor.wholetext import read_regular
from xenprof.errors import XenprofError
from xenprof.service.found_home import scraped_at

MOST_TARGETS = 10_000
"""More than one Prometheus is given; further ones are an error and not left out."""
METRICS_PATH = "/metrics"
_ADDRESS = re.compile(
    r"https?://(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):(?:[1-9]\d{0,3}|[1-5]\d{4}|"
    r"6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])(?:/[A-Za-z0-9._~/%+-]*)?",
    re.ASCII,
)

TargetGroup = dict[str, list[str] | dict[str, str]]
"""What Prometheus reads: {"targets": [HOST:PORT, ...], "labels": {...}}."""


class CannotDiscover(XenprofError):
    """Says which list or folder cannot be used, and why."""

    http_status = 503


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look for services."""

    homes: tuple[Path, ...] = ()  # folders of HOMEs, or HOMEs
    lists: tuple[Path, ...] = ()  # files with an address a line

    def groups(self, first: Sequence[str] = ()) -> list[TargetGroup]:
        """Return the targets, each once, in groups of one scheme and path; `first` are URLs.

        Raises: CannotDiscover.
        """
        groups: dict[tuple[str, str], dict[str, None]] = {}
        found = 0
        for url in (*first, *self._urls()):
            parts = urlsplit(url)
            group = groups.setdefault((parts.scheme, parts.path.rstrip("/") or METRICS_PATH), {})
            found += parts.netloc not in group
            group[parts.netloc] = None
            if found > MOST_TARGETS:
                raise CannotDiscover(f"there are more than {MOST_TARGETS} targets")
        return [
            {
                "targets": list(targets),
                "labels": {"__scheme__": scheme, "__metrics_path__": path},
            }
            for (scheme, path), targets in groups.items()
        ]

    def _urls(self) -> Iterator[str]:
        for folder in self.homes:
            yield from _served(folder)
        for file in self.lists:
            yield from _listed(file)


def _served(folder: Path) -> Iterator[str]:
    """Yield the addresses of the services that run on a folder and on the HOMEs in it, by name.

    Raises: CannotDiscover, also if HOMEs may not be read and no service is found in others, as
    Prometheus would take that for the end of all.
    """
    try:
        with os.scandir(folder) as entries:
            homes = sorted(Path(entry.path) for entry in islice(entries, MOST_TARGETS + 1))
    except OSError as error:
        raise CannotDiscover(f"{folder}: {error.strerror}") from None
    if len(homes) > MOST_TARGETS:
        raise CannotDiscover(f"{folder}: there are more than {MOST_TARGETS} folders in it")
    closed = ""
    found = False
    for home in (folder, *homes):
        try:
            url = scraped_at(home)
        except PermissionError:
            closed = str(home)
            continue
        if url is not None:
            found = True
            yield url
    if closed and not found:
        raise CannotDiscover(f"{closed}: this user may not read it, and finds no service")


def _listed(file: Path) -> Iterator[str]:
    """Yield the URLs in a list; HOST:PORT is short for http://HOST:PORT/metrics."""
    try:
        lines = read_regular(file).decode().splitlines()
    except OSError as error:
        raise CannotDiscover(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CannotDiscover(f"{file}: is not text in UTF-8") from None
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        url = text if "://" in text else f"http://{text}"
        if not _is_usable(url):
            shown = "a line is HOST:PORT, or a URL with http or https"
            raise CannotDiscover(f"{file}: line {number}: {text[:80]!r} is no address; {shown}")
        yield url


def _is_usable(url: str) -> bool:
    """Return whether Prometheus can scrape a URL; it takes no password from a target."""
    return _ADDRESS.fullmatch(url) is not None
