"""xm's commands for the access control policy, which is off: each prints what it needs.

Source: tools/python/xen/xm/{labels,addlabel,...}.py and xen/util/security.py (3.0.3).
"""

from xenprof.cli.xm.command import Command, Words, XmError
from xenprof.cli.xm.looking import snapshot_of
from xenprof.client import Client

_OFF = "access control is off in this hypervisor: no active policy"


def _refusing(
    name: str, arguments: str, summary: str, minimum: int, maximum: int, reason: str = _OFF
) -> Command:
    def refuse(client: Client, words: Words) -> int:
        snapshot_of(client)  # fails if no service runs
        raise XmError(reason, shows_usage=False)

    return Command(name, arguments, summary, refuse, minimum=minimum, maximum=maximum)


LABELS = _refusing(
    "labels", "[policy] [type=dom|res|any]", "List the labels of the policy.", 0, 2,
    "No active policy. Please specify as parameter.",
)  # fmt: skip
ADDLABEL = _refusing(
    "addlabel", "<label> {dom <ConfigFile>|res <resource>} [<policy>]",
    "Give a label to a domain or a resource.", 3, 4,
    "No active policy. Policy must be specified in command line.",
)  # fmt: skip
RMLABEL = _refusing(
    "rmlabel", "{dom <ConfigFile>|res <Resource>}",
    "Take the label off a domain or a resource.", 2, 2,
)  # fmt: skip
GETLABEL = _refusing(
    "getlabel", "{dom <ConfigFile>|res <Resource>}",
    "Show the label of a domain or a resource.", 2, 2,
)  # fmt: skip
DRY_RUN = _refusing("dry-run", "<ConfigFile>", "Test whether a domain may use its resources.", 1, 1)
RESOURCES = _refusing("resources", "", "Show the labels of all resources.", 0, 0)
MAKEPOLICY = _refusing("makepolicy", "<policy>", "Compile a policy.", 1, 1)
LOADPOLICY = _refusing("loadpolicy", "<policy>", "Load a policy into the hypervisor.", 1, 1)
CFGBOOTPOLICY = _refusing(
    "cfgbootpolicy", "<policy> [<kernelversion>]", "Have a policy loaded when Xen boots.", 1, 2
)
DUMPPOLICY = _refusing("dumppolicy", "", "Show the policy that the hypervisor has.", 0, 0)
