import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.errors import HostError
from hypervisor.toolstack.devices import (
    DiskSpec,
    RateSpec,
    VifSpec,
    device_number,
    parse_disk,
    parse_rate,
    parse_vif,
)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("10Mb/s", "62500,50000"),
        ("10MB/s", "500000,50000"),
        ("250Kb/s", "1562,50000"),
        ("1MB/s@20ms", "20000,20000"),
        ("100KB/s@500us", "50,500"),
        ("5MB/s@1s", "5000000,1000000"),
        ("1000000B/s", "50000,50000"),
    ],
)
def test_a_rate_is_stored_as_bytes_and_window(text, stored):
    assert stored == str(parse_rate(text))


@pytest.mark.parametrize(
    "text", ["10mb/s", "10kb/s", "10Mb", "0Mb/s", " 10Mb/s", "10Mb/s@", "99999GB/s", "1MB/s@0ms"]
)
def test_a_rate_that_does_not_match_is_zero_or_overflows_is_unlimited(text):
    assert parse_rate(text) is None


@given(
    st.integers(1, 10**6),
    st.sampled_from(["", "K", "M"]),
    st.sampled_from("bB"),
    st.integers(1, 10**6),
    st.sampled_from(["s", "ms", "us"]),
)
def test_a_limit_never_allows_more_than_its_rate(number, scale, unit, window, window_unit):
    rate = parse_rate(f"{number}{scale}{unit}/s@{window}{window_unit}") or RateSpec(0, 1)
    bytes_per_second = number * {"": 1, "K": 10**3, "M": 10**6}[scale] / (8 if unit == "b" else 1)
    assert rate.bytes_per_window * 10**6 <= bytes_per_second * rate.window_us


@given(st.text(max_size=60))
def test_any_text_is_a_rate_or_unlimited(text):
    rate = parse_rate(text)
    assert rate is None or rate.bytes_per_window > 0


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("xvda", 51712),
        ("xvdb", 51728),
        ("xvda1", 51713),
        ("sda", 2048),
        ("hda", 768),
        ("hdb", 832),
        ("hdc", 5632),
        ("/dev/xvda", 51712),
        ("0xca00", 51712),
    ],
)
def test_a_front_end_has_the_number_that_the_store_knows(name, number):
    assert number == device_number(name)


@pytest.mark.parametrize("name", ["", "xvd", "xvdz", "vda", "xvda99", "0x", "٣"])
def test_a_name_that_is_no_device_is_refused(name):
    with pytest.raises(HostError, match="Unable to find number for device"):
        device_number(name)


@pytest.mark.parametrize(
    ("text", "disk"),
    [
        ("phy:/dev/sdb1,xvdb,w", DiskSpec("phy", "/dev/sdb1", "xvdb", 51728, "w")),
        ("phy:sdb1,xvdb,r", DiskSpec("phy", "/dev/sdb1", "xvdb", 51728, "r")),
        ("tap:aio:/a.dsk,xvda,w", DiskSpec("tap:aio", "/a.dsk", "xvda", 51712, "w")),
        ("file:/a.dsk,ioemu:hda,w!", DiskSpec("file", "/a.dsk", "hda", 768, "w!")),
        ("file:/a.iso,hdc:cdrom,r", DiskSpec("file", "/a.iso", "hdc", 5632, "r", is_cdrom=True)),
        ("phy:sdb1,xvda,w,store", DiskSpec("phy", "/dev/sdb1", "xvda", 51712, "w", False, "store")),
    ],
)
def test_a_disk_entry_is_read(text, disk):
    assert disk == parse_disk(text)


@pytest.mark.parametrize(
    "text",
    ["", "phy:sda", "phy:sda,xvda", "a,b,c,d,e", "sda,xvda,w", "tap:x:y,xvda,w", "phy:,xvda,w"],
)
def test_a_disk_entry_that_is_none_is_refused_in_xms_words(text):
    with pytest.raises(HostError) as refusal:
        parse_disk(text)
    assert f"Invalid disk specifier: {text}" == str(refusal.value)


def test_a_disk_mode_is_r_w_or_forced_w():
    with pytest.raises(HostError, match="Invalid mode: x"):
        parse_disk("phy:sda,xvda,x")


def test_a_vif_entry_is_read_as_in_the_talk():
    vif = parse_vif("rate=10MB/s , mac=00:16:3E:7a:55:1c, bridge=xenbr1")
    assert VifSpec("00:16:3e:7a:55:1c", "xenbr1", rate=RateSpec(500_000, 50_000)) == vif


def test_an_empty_vif_entry_is_an_interface_with_defaults():
    assert VifSpec() == parse_vif("")


def test_an_unknown_vif_key_is_refused_in_xms_words():
    with pytest.raises(HostError) as refusal:
        parse_vif("brige=xenbr0")
    assert str(refusal.value) == "Invalid vif option: brige"


@given(st.text(max_size=60), st.sampled_from([parse_disk, parse_vif]))
def test_no_text_breaks_the_parsers(text, parse):
    try:
        parse(text)
    except HostError as refusal:
        assert "\n" not in str(refusal) or "\n" in text
