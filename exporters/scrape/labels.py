"""Writes labels as the text formats want them, and keeps what it has written."""

from collections.abc import Sequence

from exporters.metric import Labels


class LabelTexts:
    """Writes the labels of series, those of one host. Metrics with the same labels share them."""

    def __init__(self, host: str) -> None:
        """`host` is a label of every series."""
        self._host = host
        self._texts: dict[Labels, dict[Labels, str]] = {}  # by names, then by values

    def of(self, names: Labels, series: Sequence[Labels]) -> list[str]:
        """Return `{name="value",...}` for the values of each series, in the order of names."""
        texts = self._texts.setdefault(names, {})
        if len(texts) > 2 * len(series) + 100:  # most of them are of series that have ended
            texts.clear()
        found = []
        for values in series:
            text = texts.get(values)
            if text is None:
                text = texts[values] = f"{{{','.join(self._pairs(names, values))}}}"
            found.append(text)
        return found

    def around_bound(self, names: Labels, values: Labels) -> tuple[str, str]:
        """Return the same with the label `le`, as what is before its value and what is after."""
        pairs = [*self._pairs(names, values), 'le="']
        pairs.sort(key=_name)
        place = pairs.index('le="')
        after = "".join(f",{pair}" for pair in pairs[place + 1 :])
        return f"{{{','.join(pairs[: place + 1])}", f'"{after}}}'

    def _pairs(self, names: Labels, values: Labels) -> list[str]:
        pairs = zip(("host", *names), (self._host, *values), strict=True)
        return [f'{name}="{escape(value)}"' for name, value in sorted(pairs)]


def _name(pair: str) -> str:
    return pair.partition("=")[0]


def escape_help(text: str) -> str:
    """Return a help text for the text format."""
    return text.replace("\\", r"\\").replace("\n", r"\n")


def escape(text: str) -> str:
    """Return the value of a label; what is not UTF-8 in a name is shown as Python's escapes."""
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()
    return escape_help(text).replace('"', r"\"")
