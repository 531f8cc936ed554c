"""Reads the option that adds links to the service's page."""

from collections.abc import Mapping

import click

from xenprof.cli.weburls import is_web_address


def page_links(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> Mapping[str, str]:
    """Return the addresses by name. Raises: BadParameter."""
    links: dict[str, str] = {}
    for value in values:
        name, _, address = value.partition("=")
        if not name.strip() or not is_web_address(address):
            raise click.BadParameter(f"{value!r} is no NAME=URL with an http or https URL")
        links[name.strip()] = address
    return links
