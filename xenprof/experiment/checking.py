"""Checks, before anything runs, that hosts have what an experiment reads and does on them."""

from collections.abc import Iterable, Iterator, Sequence

from hypervisor.errors import HostError
from xenprof.experiment.errors import ExperimentError
from xenprof.experiment.job import happen
from xenprof.experiment.measures import Measure, check_places
from xenprof.experiment.model import booted
from xenprof.experiment.places import NoSuchPlace
from xenprof.experiment.plan import Result, Variant


def check_variants(
    made: Sequence[Variant], results: Sequence[Result], measures: Sequence[Measure], source: str
) -> None:
    """Boot the host of each variant: it has the results, and obeys the events.

    Each path has to lead somewhere in one of them. Raises: ExperimentError.
    """
    leading: set[str] = set()
    needed = {(names, one.measure) for one in results for names in _needed(one, made)}
    for variant in made:
        read = dict.fromkeys(
            one for number, one in enumerate(measures) if (variant.names, number) in needed
        )
        leading |= _leading(variant, read, source)
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


def _leading(variant: Variant, measures: Iterable[Measure], source: str) -> set[str]:
    """Return the paths that lead somewhere on a variant's host. Raises: ExperimentError."""
    shown = f"{source}: {', '.join(variant.names)}" if variant.names else source
    found: set[str] = set()
    try:
        host = booted(variant.job.tables, 1)
        snapshot = host.telemetry.snapshot()
        for measure in measures:
            found |= check_places(measure.of, snapshot) | check_places(measure.per, snapshot)
        for event in variant.job.in_order():
            happen(event, host)
    except NoSuchPlace as error:
        raise ExperimentError(f"{shown}: result {error}") from None
    except HostError as error:
        raise ExperimentError(f"{shown}: {error}") from None
    return found
