"""Says in words what was found."""

from collections.abc import Sequence

from xenprof.validate.figure import Finding, Published


def cells(finding: Finding) -> tuple[str, ...]:
    """Return row, metric, published, tolerance, ours, spread, unit, use and verdict."""
    figure = finding.figure
    low, high = finding.spread
    return (
        str(finding.row),
        figure.metric,
        _published(figure.published),
        _range(figure.low, figure.high),
        number(finding.ours),
        _spread(number(low), number(high)),
        figure.unit,
        figure.use,
        finding.verdict,
    )


def reason(finding: Finding) -> str:
    """Return why a finding fails, which is empty for one that does not."""
    if finding.has_passed:
        return ""
    why = finding.figure.missing or "the model is said to be right here, and is not"
    return f"row {finding.row}, {finding.figure.metric}: {why}"


def summary(found: Sequence[Finding]) -> str:
    """Return how many figures pass, of how many."""
    passed = [one for one in found if one.has_passed]
    predicted = [one for one in passed if one.figure.use == "predicted"]
    return (
        f"{len(passed)} of {len(found)} figures pass, {len(predicted)} of them predicted; "
        f"{len(found) - len(passed)} fail"
    )


def number(value: float) -> str:
    """Return a value with three digits that count, or all before the point."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _published(value: Published) -> str:
    return _range(*value) if isinstance(value, tuple) else number(value)


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return "any" if high is None else f"up to {number(high)}"
    if high is None:
        return f"{number(low)} or more"
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def _spread(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
