"""Counts arcs of call graphs: who called whom how often, as oprofile's daemon counts them.

Each pair of neighbours on a stack is an arc, (caller << 32) | callee in a file of both images;
the original's walk ends where user, kernel and hypervisor meet. A count stops at 2^32 - 1.
"""

from collections.abc import Sequence

from xenprof.imports.placing import Domain, sample_key
from xenprof.imports.recording import Recording
from xenprof.profile.flat import ImageName, SampleKey
from xenprof.profile.stacks import Layer

_LOW = 0xFFFFFFFF


def arcs(
    recording: Recording,
    rows: Sequence[int],
    domain: Domain,
    separate: frozenset[str],
    layers: dict[ImageName, Layer],
) -> dict[SampleKey, dict[int, int]]:
    """Return the counts of arcs by file; the layers of their images are added to `layers`."""
    found: dict[SampleKey, dict[int, int]] = {}
    for row in rows:
        stack, task = recording.stacks[row], recording.tasks[row]
        values = [(at, count) for at, count in enumerate(recording.values[row].tolist()) if count]
        last = recording.steps[stack[-1]]
        callee_place = domain.place(last, task)
        for number in reversed(stack[:-1]):
            caller = recording.steps[number]
            if (caller.layer, caller.domain) != (last.layer, last.domain):
                break
            place = domain.place(caller, task)
            layers[place.image] = layers[callee_place.image] = caller.layer
            app = domain.app(caller, place.image, task, separate)
            arc = (place.key & _LOW) << 32 | callee_place.key & _LOW
            for column, count in values:
                key = sample_key(
                    recording, column, app, place.image, task, separate, callee_place.image
                )
                counts = found.setdefault(key, {})
                counts[arc] = counts.get(arc, 0) + count
            callee_place = place
    return found
