"""The table of callers: every function of every path has a plausible chain."""

import itertools

import pytest

from hypervisor.model.codebook.callchains import ASKS, Asking, Chains, ChainTableError, Situation
from hypervisor.model.codebook.costs import CHECK_CTRS, Costs
from hypervisor.model.codebook.images import Images
from hypervisor.telemetry import Mode

IMAGES = Images().by_key
COSTS = Costs(IMAGES)
CHAINS = Chains(IMAGES, COSTS)
DOMAIN_0_ALONE = {
    "nic_transmit_packet", "bridge_packet", "disk_submit", "evtchn_send", "grant_copy_kib",
    "gso_segment", "checksum_kib", "dummy_packet", "iscsi_kib", "netback_copy_kib", "netloop_copy_kib",
    *(path for path in COSTS.paths if path.startswith("qemu_")),
}  # fmt: skip
DOMAIN_0_ONLY = {key for key, image in IMAGES.items() if "guest" not in image.roles}
GUEST_ONLY = {key for key, image in IMAGES.items() if "dom0" not in image.roles}
TEXT = """
roots = "vmlinux:hypervisor_callback"
situation = [["busy", "timer_tick"]]
[callers.vmlinux]
do_timer = "timer_interrupt"
[program]
[spine.bare]
calls = ""
[place]
"""


def is_domain_0(path):
    """Return whether only domain 0 does this: its ops are in images that guests lack."""
    return any(COSTS.ops[op].image.key in DOMAIN_0_ONLY for op in COSTS.paths[path].ops)


def programs(path):
    program = COSTS.paths[path].program
    return [program.key] if program else ["", "netperf", "iozone", "oprofiled"]


def cases():
    """Yield (path, op, function, situation) of every function, in each distinct situation."""
    for path, row in COSTS.paths.items():
        domids = [0] if is_domain_0(path) else [3]
        for name, program, domid in itertools.product(
            ["", *CHAINS.situations], programs(path), domids
        ):
            asked = Asking("ask_network" if "net" in name else "write_file", "netperf")
            now = Asking(name, program)
            situation = Situation(
                domid, 99, now, 3 if not domid else -1, asked if not domid else Asking(), now
            )
            for op in row.ops:
                for symbol in COSTS.ops[op].symbols:
                    known = "p4_check_ctrs" if symbol == CHECK_CTRS else symbol
                    yield path, op, (COSTS.ops[op].image.key, known), situation


def chains():
    for path, op, function, situation in cases():
        yield path, function, situation, CHAINS.chain(path, op, function, situation)


@pytest.fixture(scope="module")
def every():
    return list(chains())


def own(situation, chain):
    """Return the part of a chain in the domain itself."""
    first = len(chain)
    while first and chain[first - 1][0] == situation.domid:
        first -= 1
    return [function for _, function in chain[first:]]


def test_the_function_itself_is_the_last_of_its_chain(every):
    assert [] == [path for path, function, _, chain in every if chain[-1][1] != function]


def test_no_function_is_twice_on_a_stack_of_one_domain(every):
    twice = {
        (path, function)
        for path, function, situation, chain in every
        if len(set(own(situation, chain))) < len(own(situation, chain))
    }
    assert set() == twice


def test_code_of_less_privilege_is_never_called_from_above(every):
    """A program calls its kernel, and a kernel the hypervisor, never the other way round."""
    wrong = set()
    for path, function, situation, chain in every:
        modes = [IMAGES[image].mode for image, _ in own(situation, chain)]
        if modes != sorted(modes):
            wrong.add((path, function))
    assert set() == wrong


def test_frames_are_in_images_that_their_domain_has(every):
    for path, function, situation, chain in every:
        if path in DOMAIN_0_ALONE:
            continue  # those of domain 0, and of situations that a guest never has
        for domid, (image, name) in chain:
            lacks = DOMAIN_0_ONLY if domid else GUEST_ONLY
            if not situation.domid or not situation.now.situation.startswith(
                ("serve", "own", "disk", "toolstack")
            ):
                assert image not in lacks, (path, function, situation, domid, name)


def test_xen_is_entered_by_the_hypercall_page_of_a_kernel(every):
    for path, function, situation, chain in every:
        functions = own(situation, chain)
        if ("xen", "syscall_enter") in functions[1:]:
            before = functions[functions.index(("xen", "syscall_enter")) - 1]
            if IMAGES[before[0]].mode == Mode.KERNEL:
                assert ("vmlinux", "hypercall_page") == before, (path, function)


def named(path, op, function, situation):
    """Return a chain as words, with the domain where it changes."""
    words: list[str] = []
    for domid, (image, name) in CHAINS.chain(path, op, function, situation):
        if f"[{domid}]" not in [word for word in words if word.startswith("[")][-1:]:
            words.append(f"[{domid}]")
        words.append(name if image != "xen" else f"xen:{name}")
    return words


SENDING = [
    "[3]", "main", "send_tcp_stream", "send", "system_call", "sys_sendto", "sock_sendmsg",
    "tcp_sendmsg", "tcp_write_xmit", "tcp_transmit_skb", "ip_queue_xmit", "ip_output",
    "dev_queue_xmit", "qdisc_restart", "dev_hard_start_xmit", "network_start_xmit",
    "notify_remote_via_irq", "hypercall_page", "xen:syscall_enter", "xen:do_event_channel_op",
    "xen:evtchn_send",
]  # fmt: skip
UPCALL = ["hypervisor_callback", "do_hypervisor_callback", "evtchn_do_upcall", "do_IRQ"]


def test_what_domain_0_sends_for_a_guest_begins_in_the_guests_program():
    situation = Situation(0, 99, Asking("serve_send"), 3, Asking("ask_network", "netperf"))
    chain = named(
        "netback_transmit_packet", "netbk_transmit", ("netbk", "net_tx_action"), situation
    )
    tasklet = ["do_softirq", "__do_softirq", "tasklet_action", "net_tx_action"]
    assert [*SENDING, "[0]", *UPCALL, *tasklet] == chain


def test_what_a_guest_receives_begins_with_domain_0s_tasklet():
    situation = Situation(3, 99, Asking("get_network"))
    chain = named("netfront_receive_packet", "tcp_receive", ("vmlinux", "ip_rcv"), situation)
    softirq = ["do_softirq", "__do_softirq"]
    give = ["notify_remote_via_irq", *SENDING[-4:]]
    assert chain == [
        "[0]", *UPCALL, *softirq, "tasklet_action", "net_rx_action", *give,
        "[3]", *UPCALL, *softirq, "net_rx_action", "netif_poll", "netif_receive_skb", "ip_rcv",
    ]  # fmt: skip


@pytest.mark.parametrize("asks", ASKS[1:])
def test_a_disk_request_begins_with_who_asked(asks):
    situation = Situation(0, 99, Asking("serve_disk"), 3, Asking(asks, "iozone"))
    chain = named("disk_submit", "sd_submit", ("sd_mod", "sd_init_command"), situation)
    call = {"write_file": "sys_write", "read_file": "sys_read", "swap_in": "do_page_fault",
            "swap_out": "kswapd"}  # fmt: skip
    assert "[3]" == chain[0]
    assert call[asks] in chain[: chain.index("[0]")]
    assert "blkif_schedule" == chain[chain.index("[0]") + 1]


def test_work_of_domain_0_for_nobody_begins_at_home():
    situation = Situation(0, 99, Asking("serve_disk"))
    chain = named("disk_submit", "sd_submit", ("sd_mod", "sd_init_command"), situation)
    assert "[0]" == chain[0]
    assert 1 == sum(word.startswith("[") for word in chain)


def test_a_notification_is_called_by_what_ran_before_it():
    before = Asking("write_file", "iozone")
    situation = Situation(3, 99, Asking("", ""), notifies=before)
    chain = named("evtchn_send", "xen_evtchn", ("xen", "evtchn_send"), situation)
    assert ["main", "begin", "write", "system_call", "sys_write"] == chain[1:6]


# -- Tables that cannot be used


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("vmlinux:hypervisor_callback", "vmlinux:nothing", "no function nothing in /usr/lib"),
        ("vmlinux:hypervisor_callback", "kernel:do_timer", "unknown image 'kernel'"),
        ('"timer_interrupt"', '"timer_interupt"', "no function timer_interupt"),
        ("[spine.bare]", '[spine.b]\ncalls = ""\nby = {}\n[spine.bare]', "do not fit together"),
        ("[spine.bare]", '[spine.b]\ncalls = ""\ncause = "b"\n[spine.bare]', "do not fit together"),
        ("[place]", '[place]\ntimer_tick = "nowhere"', "missing or unknown"),
    ],
)
def test_a_table_with_a_mistake_is_refused(old, new, message):
    with pytest.raises(ChainTableError, match=message):
        Chains(IMAGES, COSTS, TEXT.replace(old, new))


def packaged():
    from importlib import resources

    return (
        resources.files("hypervisor.model.codebook").joinpath("callchains.toml").read_text("utf-8")
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('timer_tick = "timer"', 'timer_tick = "nowhere"', "timer_tick: no spine 'nowhere'"),
        ('timer_tick = "timer"', "", "missing or unknown: timer_tick"),
        ('timer_tick = "timer"', 'timer_tick = { nothing = "timer" }', "lacks kernel_timer"),
        ('timer_tick = "timer"', 'timer_tick = { x = "timer", all = "timer" }', "unknown 'x'"),
        ('timer_tick = "timer"', 'timer_tick = { x = "timer", "" = "timer" }', "unknown 'x'"),
        ('[spine.idle]\n', '[spine.idle]\nunder = "idle"\n', "it has no end"),
        ('"timer", "set_timer"', '"timer", "set_timers"', "unknown path 'set_timers'"),
    ],
)  # fmt: skip
def test_the_packaged_table_with_a_mistake_is_refused(old, new, message):
    text = packaged()
    assert old in text
    with pytest.raises(ChainTableError, match=message):
        Chains(IMAGES, COSTS, text.replace(old, new))


def test_amd_processors_have_svms_functions_on_the_same_stacks():
    cpu = COSTS.cpus["hammer"]
    here = Chains(IMAGES, COSTS, functions=cpu.functions)
    situation = Situation(1, 99)
    chain = here.chain("hvm_tick", "hvm_pic", ("xen", "send_pio_req"), situation)
    names = [name for _, (_, name) in chain]
    assert [
        "svm_asm_do_resume",
        "svm_vmexit_handler",
        "svm_io_instruction",
        "send_pio_req",
    ] == names


def test_without_xen_a_path_stands_for_no_other_one():
    """Only what an HVM guest does instead of a path is its twin, with the place of that one."""
    native = Costs(IMAGES, is_native=True).paths
    assert {name: row.like for name, row in native.items()} == {
        name: row.like for name, row in COSTS.paths.items()
    }
