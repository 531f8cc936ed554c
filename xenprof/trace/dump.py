"""Prints records, one per line like xentrace_format: pcpu, tsc, name, fields in hexadecimal."""

from collections.abc import Iterator

from xenprof.trace.names import XEN_4, XEN_30
from xenprof.trace.records import Records


def lines(records: Records, *, is_new: bool) -> Iterator[str]:
    """Return the lines of records; `is_new` selects the format of later Xens."""
    names = XEN_4 if is_new else XEN_30
    rows = zip(
        records.pcpu.tolist(),
        records.tsc.tolist(),
        records.event.tolist(),
        records.words.tolist(),
        records.data.tolist(),
        strict=True,
    )
    for pcpu, tsc, event, words, data in rows:
        known = names.get(event)
        if known is None:
            values = "".join(f" 0x{word:08x}" for word in data[:words])
            yield f"CPU{pcpu}  {tsc}  unknown (0x{event:08x})  [{values} ]"
            continue
        name, fields = known
        if is_new:  # all words of the record: hypercalls have no fixed number
            shown = [
                (fields[at] if at < len(fields) else f"word{at}", data[at]) for at in range(words)
            ]
        else:
            shown = list(zip(fields, data, strict=False))
        text = ", ".join(f"{field} = 0x{value:08x}" for field, value in shown)
        yield f"CPU{pcpu}  {tsc}  {name}" + (f"  [ {text} ]" if text else "")
