import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.live.agent.report.fields import SamplerReport, to_json
from hypervisor.live.reports import MOST_BYTES, BadReport, read_report
from tests.support.live.reports import SECOND, domain0, guest, report

PLAIN = json.loads(to_json(report()))


def changed(**fields: object) -> bytes:
    return json.dumps({**PLAIN, **fields}).encode()


def with_domain(**fields: object) -> bytes:
    return changed(domains=[{**PLAIN["domains"][0], **fields}])


def with_vcpus(domid: int, count: int) -> dict[str, object]:
    vcpus = [{"vcpu": number} for number in range(count)]
    return {"domid": domid, "uuid": str(domid), "vcpus": vcpus}


@pytest.mark.parametrize(
    "made",
    [
        report(),
        report(domains=(domain0(SECOND),)),
        report(sampler=SamplerReport(1, 2, 3, 4), problems=("no vbd",)),
    ],
)
def test_what_an_agent_writes_is_read_as_it_was(made):
    assert made == read_report(to_json(made).encode())


def test_a_field_of_a_newer_agent_is_left_out():
    assert report() == read_report(changed(colour="red"))


def test_a_field_that_an_agent_does_not_send_is_unknown():
    sent = {name: value for name, value in PLAIN.items() if name != "mhz"}

    assert report(mhz=None) == read_report(json.dumps(sent).encode())


def test_what_a_domain_is_not_said_to_have_is_unknown_and_not_nothing():
    sent = {"domid": 0, "uuid": "u"}

    (domain,) = read_report(changed(domains=[sent])).domains

    assert (None,) * 4 == (domain.cpu_ns, domain.memory_kib, domain.vifs, domain.vbds)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the report: Invalid JSON: EOF while parsing a value at line 1 column 0"),
        (b"[]", "the report: Input should be an object"),
        (changed(format=2), "a report of format 2: this service reads 1"),
        (changed(serial=True), "serial: Input should be a valid integer"),
        (changed(serial=1.0), "serial: Input should be a valid integer"),
        (changed(serial="1"), "serial: Input should be a valid integer"),
        (changed(time_ns=-1), "time_ns: Input should be greater than or equal to 0"),
        (changed(boot=None), "boot: Input should be a valid string"),
        (changed(domains=[]), "domains: domain 0 is missing, and no host is without it"),
        (changed(domains={}), "domains: Input should be a valid array"),
        (with_domain(running=1), "domains[0].running: Input should be a valid boolean"),
        (with_domain(name="x" * 4097), "domains[0].name: String should have at most 4096 characters"),
        (changed(mhz=2400.0), "mhz: Input should be a valid integer"),
        (with_domain(cpu_ns="1"), "domains[0].cpu_ns: Input should be a valid integer"),
        (with_domain(domid=0x7FF0), "domains[0].domid: Input should be less than or equal to 32751"),
        (with_domain(vcpus=[{"vcpu": 8192}]), "domains[0].vcpus[0].vcpu: Input should be less than"),
        (with_domain(vcpus=[{"vcpu": -1}]), "domains[0].vcpus[0].vcpu: Input should be greater than"),
        (changed(problems=[""] * 32769), "problems: List should have at most 32768 items"),
        (
            changed(domains=[with_vcpus(domid, 8191) for domid in range(4)]),
            "32770 pcpus, domains, vcpus and devices: a host has at most 32768",
        ),
        (changed(domains=PLAIN["domains"] * 2), "domains: a number comes twice"),
        (changed(pcpus=PLAIN["pcpus"] * 2), "pcpus: a number comes twice"),
        (with_domain(vcpus=[{"vcpu": 0}] * 2), "domain 0: vcpus: a number comes twice"),
        (with_domain(vifs=[{"vif": 0}] * 2), "domain 0: vifs: a number comes twice"),
        (with_domain(vbds=[{"device": 0}] * 2), "domain 0: vbds: a number comes twice"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused_with_its_place(body, told):
    with pytest.raises(BadReport) as refused:
        read_report(body)

    assert str(refused.value).startswith(told)


@pytest.mark.parametrize("number", [-1, 1 << 62, (1 << 64) - 1, 1 << 300])
def test_a_number_beyond_its_bounds_costs_that_field_and_not_the_host(number):
    read = read_report(
        changed(
            mhz=number, domains=[{**PLAIN["domains"][0], "cpu_ns": number, "memory_kib": number}]
        )
    )

    assert (None, None, None) == (read.mhz, read.domains[0].cpu_ns, read.domains[0].memory_kib)
    assert report().domains[0].name == read.domains[0].name


def test_kib_and_mhz_are_bounded_so_that_their_bytes_and_hz_are_64_bit_integers():
    read = read_report(changed(memory_kib=(1 << 43) + 1, mhz=(1 << 43) + 1, free_kib=1 << 43))

    assert (None, None, 1 << 43) == (read.memory_kib, read.mhz, read.free_kib)


def test_a_host_of_1000_domains_with_16_vcpus_and_three_devices_is_read():
    devices = {"vifs": [{"vif": 0}], "vbds": [{"device": 51712}, {"device": 51728}]}
    body = changed(domains=[with_vcpus(domid, 16) | devices for domid in range(1000)])

    assert 16_000 == sum(len(domain.vcpus) for domain in read_report(body).domains)


@pytest.mark.parametrize("value", [b"0", b"[]", b"{}"])
def test_a_report_of_very_many_values_is_refused_before_they_are_made(value):
    body = b"[" + (value + b",") * ((1 << 23) + 1) + b"0]"

    with pytest.raises(BadReport, match="a report has at most 8388608 values"):
        read_report(body)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"sources":' * 100_000,
        changed().replace(b'"serial": 1', b'"serial": ' + b"9" * 100_000),
        changed(time_ns=1 << 64),
        b" " * (MOST_BYTES + 1),
        b"\xff\xfe",
    ],
    ids=["depth", "objects", "digits", "too-large", "size", "not-utf-8"],
)
def test_hostile_json_is_refused_in_a_short_line(body):
    with pytest.raises(BadReport) as refused:
        read_report(body)

    assert len(str(refused.value)) < 300 and str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (r"caf\udce9", r"caf\udce9"),
        (r"\uD83D", r"\uD83D"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud83d\ude00\ude00", "\U0001f600" r"\ude00"),
        (r"\ud83d\ud83d\ude00", r"\ud83d" "\U0001f600"),
        (r"\ude00\ud83d", r"\ude00\ud83d"),
        (r"\\ud83d\ude00", r"\ud83d\ude00"),
        (r"\\\ud83d", "\\" r"\ud83d"),
    ],
)
def test_half_a_surrogate_pair_in_a_name_is_shown_and_no_reason_to_refuse_the_rest(sent, shown):
    body = to_json(report(problems=(r"\ud800",), domains=(domain0(1), guest(1, "NAME", 1))))
    body = body.replace(r"\\ud800", r"\ud800").replace("NAME", sent)

    assert shown == read_report(body.encode()).domains[1].name


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(list(PLAIN)), inner),
    ),
    st.sampled_from(list(PLAIN)),
)
def test_any_json_is_a_report_or_refused(value, name):
    with contextlib.suppress(BadReport):
        read_report(changed(**{name: value}))
