"""Makes the setup of a daemon for the images that its domain has installed."""

from collections.abc import Sequence
from pathlib import Path

from xenprof.events import EventSetting
from xenprof.images import text_range
from xenprof.images.installed import debug_images
from xenprof.wire.opcontrol import Setup


def setup_at(
    root: Path,
    events: tuple[EventSetting, ...] = (),
    depth: int = 0,
    *,
    active: Sequence[int] | None = None,
    passive: Sequence[int] = (),
) -> Setup:
    """Return the setup with the kernel's and the hypervisor's images below a domain's root.

    `depth`: how many callers are recorded; `active`, `passive`: domain 0's lists.
    Raises: ImageError if there is no kernel with symbols.
    """
    images = debug_images(root)
    return Setup(
        events=events,
        vmlinux=images.vmlinux,
        kernel_range=text_range(root / images.vmlinux.lstrip("/")),
        xen_image=images.xen,
        xen_range=text_range(root / images.xen.lstrip("/")) if images.xen else None,
        callgraph_depth=depth,
        active_domains=None if active is None else _listed(active),
        passive_domains=_listed(passive) if passive else None,
    )


def _listed(domids: Sequence[int]) -> str:
    return ",".join(str(domid) for domid in domids)
