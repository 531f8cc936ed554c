"""Domain 0: nothing in it that could be in a guest, and what a host cannot show of it."""

from collections.abc import Iterator
from typing import Final

from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change, Setting
from xenprof.advise.facts import Facts
from xenprof.advise.rules.words import in_domain0, managed, percent
from xenprof.home import DOMAIN_0

SLIDE: Final = "Basic Configuration Recommendations"
OWN_PERCENT: Final = 5.0  # of a pcpu, judgement: ten times what xend and its kin take
SERVICES: Final = ("autofs", "nfs", "vsftpd", "httpd", "ypserv", "telnet", "sendmail")
"""The names in RHEL 5 of those that the slide lists: AutoFS, NFS, FTP, WWW, NIS, telnetd,
sendmail."""
_GUEST: Final = "applications"
_CHECKLIST: Final = (
    (
        "domain0.services",
        "Switch off services that domain 0 does not need",
        f"for one in {' '.join(SERVICES)}; do chkconfig $one off; done",
        "AutoFS, NFS, FTP, WWW, NIS, telnetd, sendmail and their like take memory and time from "
        "guests, and whoever gets in by one of them has all guests.",
    ),
    (
        "domain0.selinux",
        "Run SELinux in enforcing mode",
        "getenforce",
        "The platform is to be secured before guests are installed on it. It answers Enforcing.",
    ),
    (
        "domain0.accounts",
        "Keep only the accounts that manage the platform",
        "getent passwd",
        "Users of applications have their accounts in guests.",
    ),
)


def applications(facts: Facts) -> Iterator[Advice]:
    """Advise to move what runs in domain 0 for its own sake into a guest."""
    own = facts.domain0
    if own is None or own.served_percent is None or own.served_percent < OWN_PERCENT:
        return
    yield Advice(
        id="domain0.applications",
        title="Run applications in a guest, not in domain 0",
        do=managed(facts, "create", _GUEST),
        where=DOMAIN_0,
        why="Domain 0 serves the packets and blocks of all guests. What it computes for itself "
        "takes pcpus, memory and disk from that service, and no weight or cap sets it apart. Where "
        "they are in a guest they are to be stopped here.",
        slide=SLIDE,
        strength="do",
        rests_on=(percent("domain 0 for itself", own.served_percent),),
        change=Change(
            (
                Setting(("domain", _GUEST, "workload"), taken_from=("domain0", "workload")),
                Setting(("domain0", "workload"), []),
            ),
            (gauges.processor(DOMAIN_0), gauges.waiting(DOMAIN_0)),
            first=(
                Setting(
                    ("domain",),
                    {
                        "name": _GUEST,
                        "memory_mib": 256,
                        "disk": [f"phy:/dev/vg0/{_GUEST},xvda,w"],
                        "vif": ["bridge=xenbr0"],
                    },
                    is_added=True,
                ),
            ),
            helped=(DOMAIN_0,),
        ),
    )


def unseen(facts: Facts) -> Iterator[Advice]:
    """Tell to look at what no host tells of its domain 0."""
    for id_, title, command, why in _CHECKLIST:
        yield Advice(
            id=id_,
            title=title,
            do=in_domain0(command),
            where=DOMAIN_0,
            why=why,
            slide=SLIDE,
            strength="check",
            unmeasured="a host does not tell this of its domain 0",
        )
