"""Checks, before anything runs, that hosts have what an experiment reads of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hypervisor.errors import HostError
from xenprof.experiment.errors import ExperimentError
from xenprof.experiment.measures import Measure, check_places
from xenprof.experiment.model import booted
from xenprof.experiment.places import NoSuchPlace
from xenprof.experiment.plan import Result, Variant


def check_results(
    made: Sequence[Variant], results: Sequence[Result], measures: Sequence[Measure], source: str
) -> None:
    """Check that variants have their results, and that each path leads somewhere in one of them.

    Of variants with the same domains and workloads one host is made. Raises: ExperimentError.
    """
    hosts: dict[str, Variant] = {}
    read: dict[str, dict[Measure, None]] = {}
    needed = {(names, one.measure) for one in results for names in _needed(one, made)}
    for variant in made:
        shape = _shape(variant.job.tables)
        hosts.setdefault(shape, variant)
        of_shape = read.setdefault(shape, {})
        of_shape |= {
            measure: None
            for number, measure in enumerate(measures)
            if (variant.names, number) in needed
        }
    leading = {path for shape, one in hosts.items() for path in _leading(one, read[shape], source)}
    for measure in measures:
        for path in (*measure.of, *measure.per):
            if path not in leading:
                raise ExperimentError(f"{source}: result '{path}': it is in no variant")


def _needed(result: Result, made: Sequence[Variant]) -> Iterator[tuple[str, ...]]:
    """Yield the names of variants of which a result needs a figure, twice perhaps."""
    for variant in made:
        if result.is_of(variant):
            yield variant.names
            if result.against is not None:
                yield result.against.beside(variant.names)


def _shape(tables: Mapping[str, Any]) -> str:
    """Return what says of which form the snapshots of a host are."""
    owners = [tables.get("domain0", {}), *tables.get("domain", [])]
    return str(
        [
            (
                owner.get("name"),
                owner.get("count"),
                owner.get("vcpus"),
                len(owner.get("vif", ())),
                len(owner.get("disk", ())),
                [(one.get("kind"), one.get("test")) for one in owner.get("workload", ())],
            )
            for owner in owners
        ]
    )


def _leading(variant: Variant, measures: Iterable[Measure], source: str) -> set[str]:
    """Return the paths that lead somewhere on a variant's host. Raises: ExperimentError."""
    shown = f"{source}: {', '.join(variant.names)}" if variant.names else source
    try:
        snapshot = booted(variant.job.tables, 1).telemetry.snapshot()
    except HostError as error:
        raise ExperimentError(f"{shown}: {error}") from None
    found: set[str] = set()
    for measure in measures:
        try:
            found |= check_places(measure.of, snapshot) | check_places(measure.per, snapshot)
        except NoSuchPlace as error:
            raise ExperimentError(f"{shown}: result {error}") from None
    return found
