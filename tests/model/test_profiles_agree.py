"""Profiles of loads agree with the literature: who spends the time, and in which functions.

What is expected comes from published splits (CDNA, HPCA 2007; Barham et al., SOSP 2003) and from
the paths of packets, requests and page tables through the sources of Xen 3.0.3 and Linux 2.6.18.
"""

import contextlib
import io
import json
from collections import Counter
from dataclasses import dataclass, field

import pytest

from xenprof.cli.main import main

PERIOD = 100_000
SECONDS = 3
EVENTS = {"hammer": "CPU_CLK_UNHALTED", "p4": "GLOBAL_POWER_EVENTS"}
HOST = """
[host]
cpu = "{cpu}"
arch = "{arch}"
mhz = 2400
sockets = 1
cores_per_socket = 1
threads_per_core = 1
memory_mib = 16384
support_limits = false
{more}
[domain0]
memory_mib = 512
[[host.nic]]
name = "peth0"
bridge = "xenbr0"
speed_mbit = 10000
moderation = 16000
[[domain]]
name = "g"
memory_mib = 1024
vif = ["bridge=xenbr0"]
disk = ["{disk}"]
workload = [{{ {work} }}]
"""
RECEIVE = 'kind = "netperf", direction = "receive"'
TRANSMIT = 'kind = "netperf", direction = "transmit", tso = false'
READ = 'kind = "fileio", pattern = "sequential", queue_depth = 32'
FORK = 'kind = "lmbench", test = "fork"'
BUILD = 'kind = "build"'
RANDOM = READ.replace("sequential", "random")
PHY, TAP = "phy:/dev/sdb1,xvda,w", "tap:aio:/var/lib/xen/images/g.img,xvda,w"
XEN, DOMAIN0, GUEST, GUEST_XEN = (
    ("Domain-0", "hypervisor"),
    ("Domain-0", "kernel"),
    ("g", "kernel"),
    ("g", "hypervisor"),
)


@dataclass
class Profile:
    """The samples of a session, and what the guest's workload did."""

    samples: Counter = field(default_factory=Counter)  # by domain, layer and function
    run: dict = field(default_factory=dict)

    def of(self, domain=None, layer=None):
        return sum(
            count
            for (where, what, _), count in self.samples.items()
            if domain in (None, where) and layer in (None, what)
        )

    def share(self, *places):
        """Return the share of some places in the whole profile, in percent."""
        return 100 * sum(self.of(*place) for place in places) / self.of()

    def first(self, count, place):
        """Return the functions of a place with the most samples."""
        here = Counter({f: n for (*there, f), n in self.samples.items() if tuple(there) == place})
        return [function for function, _ in here.most_common(count)]

    def part(self, place, functions):
        """Return the share of functions in the samples of a place, in percent."""
        return 100 * sum(self.samples[(*place, one)] for one in functions) / self.of(*place)


@pytest.fixture(scope="module")
def profiled(tmp_path_factory):
    """Return a function that profiles a load by a session, each load once."""
    made = {}

    def profile(work, *, lists=("0,1", None), cpu="hammer", disk=PHY, more=""):
        key = (work, lists, cpu, disk, more)
        if key not in made:
            home = tmp_path_factory.mktemp("home")
            made[key] = _profile(home, *key)
        return made[key]

    return profile


def _profile(home, work, lists, cpu, disk, more):
    arch = "i386" if cpu == "p4" else "x86_64"
    scenario, report = home / "s.toml", home / "report.json"
    scenario.write_text(HOST.format(work=work, cpu=cpu, arch=arch, disk=disk, more=more))
    active, passive = lists
    command = [
        "run", "--scenario", str(scenario), "--for", f"{SECONDS}s", "--state-dir", str(home),
        "--profile", f"{EVENTS[cpu]}:{PERIOD}", "--active", active, "--json",
        *(["--passive", passive] if passive else []),
    ]  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert 0 == main(command)
    assert 0 == main(
        ["report", "--state-dir", str(home), "--by", "domain,layer,symbol", "--format", "json",
         "--output", str(report)]
    )  # fmt: skip
    found = Profile(run=json.loads(out.getvalue()))
    for row in json.loads(report.read_text())["rows"]:
        found.samples[row["domain"], row["layer"], row["symbol"]] += row["self"][0]
    return found


# ---------------------------------------------------------------- the network

SPLITS = {RECEIVE: (25.7, 37.3, 32.0), TRANSMIT: (19.8, 36.5, 40.7)}  # CDNA; the rest was idle
LISTS = [("0,1", None), ("0", "1")]


@pytest.mark.parametrize("lists", LISTS, ids=["active", "passive"])
@pytest.mark.parametrize("work", SPLITS, ids=["receive", "transmit"])
def test_hypervisor_driver_domain_and_guest_share_a_stream_as_was_published(profiled, work, lists):
    found = profiled(work, lists=lists)
    shares = [
        found.share(XEN, GUEST_XEN),
        found.share(DOMAIN0, ("Domain-0", "user")),
        found.share(GUEST, ("g", "user")),
    ]

    assert list(SPLITS[work]) == pytest.approx(shares, abs=6)


# "Bridge and netfilter (physdev match) take a large part" of domain 0.
BRIDGE = [
    "br_handle_frame",
    "br_handle_frame_finish",
    "br_forward",
    "__br_forward",
    "br_dev_queue_push_xmit",
    "br_forward_finish",
    "br_fdb_update",
    "__br_fdb_get",
    "br_nf_pre_routing",
    "br_nf_forward_ip",
    "br_nf_post_routing",
    "nf_hook_slow",
    "nf_iterate",
    "ipt_do_table",
    "ip_conntrack_in",
]
AROUND = [
    "netif_receive_skb",
    "dev_queue_xmit",
    "qdisc_restart",
    "pfifo_fast_enqueue",
    "pfifo_fast_dequeue",
]


@pytest.mark.parametrize("work", SPLITS, ids=["receive", "transmit"])
def test_bridge_and_netfilter_are_a_large_part_of_domain_0(profiled, work):
    assert profiled(work).part(DOMAIN0, BRIDGE) > 20


@pytest.mark.parametrize("work", SPLITS, ids=["receive", "transmit"])
def test_bridge_and_netfilter_take_2000_to_3000_cycles_for_each_packet_on_an_opteron(
    profiled, work
):
    found = profiled(work)
    (vif,) = next(one for one in found.run["domains"] if one["name"] == "g")["vifs"]
    packets = vif["receive_packets"] + vif["transmit_packets"]
    cycles = PERIOD * sum(found.samples[(*DOMAIN0, one)] for one in BRIDGE + AROUND)

    assert 2000 < cycles / packets < 3000


# What each path consists of, and among how many functions of its place it has to be seen.
TOP = {
    # NIC, bridge, netback; for each page an update_va_mapping, an mmu_update and a transfer, all
    # in a multicall; the guest unmaps pages, gives them back, and maps those that come instead.
    (RECEIVE, DOMAIN0): (
        20,
        "e1000_clean_rx_irq ipt_do_table net_rx_action netif_receive_skb ip_conntrack_in "
        "nf_iterate netif_be_start_xmit nf_hook_slow netbk_gop_frag br_handle_frame",
    ),
    (RECEIVE, XEN): (
        20,
        "gnttab_transfer steal_page do_mmu_update mod_l1_entry do_update_va_mapping do_multicall "
        "find_domain_by_id do_grant_table_op __flush_tlb_mask",
    ),
    (RECEIVE, GUEST): (
        15,
        "copy_user_generic tcp_rcv_established tcp_v4_rcv netif_poll ip_rcv tcp_data_queue "
        "network_alloc_rx_buffers",
    ),
    (RECEIVE, GUEST_XEN): (
        12,
        "do_update_va_mapping mod_l1_entry do_mmu_update do_multicall decrease_reservation "
        "guest_remove_page do_memory_op",
    ),
    # Pages are granted and mapped, 64 bytes copied; they go through the bridge to the card.
    (TRANSMIT, GUEST): (
        12,
        "copy_user_generic tcp_sendmsg network_start_xmit tcp_transmit_skb ip_queue_xmit tcp_ack "
        "network_tx_buf_gc tcp_write_xmit",
    ),
    (TRANSMIT, DOMAIN0): (
        20,
        "e1000_xmit_frame net_tx_action ipt_do_table ip_conntrack_in e1000_clean_tx_irq "
        "nf_iterate net_tx_action_dealloc nf_hook_slow",
    ),
    (TRANSMIT, XEN): (
        12,
        "__gnttab_map_grant_ref __gnttab_unmap_grant_ref find_domain_by_id do_grant_table_op "
        "__flush_tlb_mask",
    ),
    # submit_bio ... dispatch_rw_block_io: a grant hypercall that maps, one that unmaps with a
    # flush of the TLB.
    (READ, DOMAIN0): (
        16,
        "dispatch_rw_block_io fast_flush_area do_block_io_op __end_block_io_op vbd_translate "
        "make_response end_block_io_op try_to_wake_up __make_request generic_make_request",
    ),
    (READ, XEN): (
        18,
        "__gnttab_unmap_grant_ref __gnttab_map_grant_ref __flush_tlb_mask syscall_enter "
        "create_grant_host_mapping destroy_grant_host_mapping",
    ),
    (READ, GUEST): (
        22,
        "blkif_queue_request blkif_int do_blkif_request blkif_completion submit_bio "
        "generic_make_request __make_request",
    ),
    # Page tables are copied and zapped; new ones are pinned; each fault enters Xen twice.
    (FORK, GUEST): (
        16,
        "copy_page_range zap_pte_range do_page_fault __handle_mm_fault clear_page unmap_vmas "
        "copy_process pte_alloc_one do_wp_page do_no_page",
    ),
    (FORK, GUEST_XEN): (
        15,
        "get_page_from_l1e put_page_from_l1e alloc_l1_table free_l1_table do_page_fault "
        "do_update_va_mapping mod_l1_entry create_bounce_frame do_iret do_mmu_update",
    ),
}  # fmt: skip
NAMES = {RECEIVE: "receive", TRANSMIT: "transmit", READ: "read", FORK: "fork"}


@pytest.mark.parametrize(("work", "place"), TOP, ids=[f"{NAMES[w]}-{'-'.join(p)}" for w, p in TOP])
def test_functions_of_the_path_are_those_with_the_most_samples(profiled, work, place):
    count, named = TOP[work, place]

    assert set() == set(named.split()) - set(profiled(work).first(count, place))


FLIPPED = ["gnttab_transfer", "steal_page", "increase_reservation"]
COPIED = ["gnttab_copy", "__gnttab_copy", "__acquire_grant_for_copy"]


def test_without_flipping_pages_are_copied_and_none_is_transferred(profiled):
    flipping = profiled(RECEIVE)
    copying = profiled(RECEIVE, more='netfront_receive = "copy"')

    assert flipping.part(XEN, FLIPPED) > 10 > flipping.part(XEN, COPIED) == 0
    assert copying.part(XEN, COPIED) > 10 > copying.part(XEN, FLIPPED) == 0
    assert copying.part(GUEST_XEN, ["do_update_va_mapping", "decrease_reservation"]) == 0


# netfront is a module of the guest: where it lies, domain 0 does not know.
MODULES = ["netif_poll", "network_alloc_rx_buffers", "network_start_xmit", "network_tx_buf_gc"]


@pytest.mark.parametrize("work", SPLITS, ids=["receive", "transmit"])
def test_a_passive_guest_has_the_kernel_functions_of_an_active_one(profiled, work):
    """The functions of its programs are unknown to domain 0, those of its kernel are not."""
    passive, active = profiled(work, lists=("0", "1")), profiled(work)
    own = [one for one in active.first(12, GUEST) if one not in MODULES]

    assert set(own) <= set(passive.first(20, GUEST))
    assert passive.part(GUEST, own) == pytest.approx(active.part(GUEST, own), abs=5)


# ---------------------------------------------------------------- disks

COPIES = ["copy_user_generic", "copy_from_user", "memcpy"]


OWN = 0.005 * SECONDS * 2.4e9 / PERIOD  # half a percent, see dom0/housekeeping.py


def of_domain0(found):
    """Return the samples of domain 0 for each request, less those of its own daemons."""
    (work,) = next(one for one in found.run["domains"] if one["name"] == "g")["workloads"]
    return (found.of("Domain-0") - OWN) / work["requests"]


def test_the_path_of_a_phy_disk_copies_no_data_in_domain_0(profiled):
    assert profiled(READ).part(DOMAIN0, COPIES) < 1


def test_a_file_is_copied_through_the_page_cache_of_domain_0_by_a_thread(profiled):
    found = profiled(READ, disk="file:/var/lib/xen/images/g.img,xvda,w")

    assert found.part(DOMAIN0, COPIES) > 10
    assert found.part(DOMAIN0, ["loop_thread"]) > 1


def test_blktap_takes_some_microseconds_more_of_domain_0_for_a_request(profiled):
    """4 to 6 for the process, and two round trips between kernel and program for a batch."""
    phy, tap = (profiled(RANDOM, disk=disk) for disk in (PHY, TAP))
    more_us = (of_domain0(tap) - of_domain0(phy)) * PERIOD / 2400

    assert 4 < more_us < 8


# ---------------------------------------------------------------- processes


def test_xen_has_its_published_part_of_a_fork(profiled):
    """Barham et al.: 110 us alone, 198 us under Xen, within a fifth."""
    found = profiled(FORK, cpu="p4")
    xens = found.of(*GUEST_XEN) / found.of("g")

    assert 1 - 110 / (0.8 * 198) < xens < 1 - 110 / (1.2 * 198)


def test_a_kernel_build_spends_seven_percent_in_the_kernel_and_three_more_in_xen(profiled):
    """Barham et al.: 263 s alone, 7 % of it in the kernel, and 271 s under Xen."""
    found = profiled(BUILD, cpu="p4", lists=LISTS[1])  # a passive guest takes no samples itself
    own = found.of("g", "user") + found.of(*GUEST)

    assert 100 * found.of(*GUEST) / own == pytest.approx(7, abs=1)
    assert 2 < 100 * found.of(*GUEST_XEN) / own < 5
