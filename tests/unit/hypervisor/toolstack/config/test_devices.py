import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.errors import HostError
from hypervisor.toolstack.config.devices import (
    DiskSpec,
    RateSpec,
    VfbSpec,
    VifSpec,
    device_number,
    parse_disk,
    parse_rate,
    parse_vfb,
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
    ("given", "shown"),
    [
        ("10MB/s", "10MB/s@50ms"),
        ("10Mb/s", "1250KB/s@50ms"),
        ("250Kb/s", "31240B/s@50ms"),
        ("1MB/s@20ms", "1MB/s@20ms"),
        ("100KB/s@500us", "100KB/s@500us"),
        ("5MB/s@1000ms", "5MB/s@1s"),
        ("2GB/s", "2GB/s@50ms"),
    ],
)
def test_a_rate_is_shown_normalised(given, shown):
    rate = parse_rate(given)
    assert rate and shown == rate.text


SCALES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
UNITS_US = {"": 10**6, "m": 1_000, "u": 1}


@given(
    st.integers(0, 10**12), st.sampled_from(["", *"KMG"]), st.sampled_from("bB"),
    st.one_of(st.none(), st.tuples(st.integers(0, 10**7), st.sampled_from(["", "m", "u"]))),
)  # fmt: skip
def test_a_rate_is_bytes_per_second_times_its_window(number, scale, unit, window):
    text, window_us = "", 50_000
    if window:
        text, window_us = f"@{window[0]}{window[1]}s", window[0] * UNITS_US[window[1]]
    bytes_per_second = number * SCALES[scale] // (8 if unit == "b" else 1)
    amount = bytes_per_second * window_us // 10**6
    limit = RateSpec(amount, window_us) if 0 < amount < 2**32 and 0 < window_us < 2**32 else None
    assert limit == parse_rate(f"{number}{scale}{unit}/s{text}")


@given(
    st.integers(1, 10**7), st.sampled_from(["", "K", "M"]), st.sampled_from("bB"),
    st.integers(1, 10**6), st.sampled_from(["s", "ms", "us"]),
)  # fmt: skip
def test_a_rate_as_shown_means_the_same_rate(number, scale, unit, window, window_unit):
    rate = parse_rate(f"{number}{scale}{unit}/s@{window}{window_unit}")
    assert rate is None or parse_rate(rate.text) == rate


def letter(number):
    return chr(ord("a") + number)


@given(st.integers(0, 15), st.integers(0, 15))
def test_a_xen_disk_has_16_numbers_of_major_202(disk, part):
    assert device_number(f"xvd{letter(disk)}{part or ''}") == 202 * 256 + 16 * disk + part


@given(st.integers(0, 25), st.integers(0, 15))
def test_a_scsi_disk_has_16_numbers_of_major_8_and_the_17th_begins_major_65(disk, part):
    major = 8 if disk < 16 else 65
    assert device_number(f"sd{letter(disk)}{part or ''}") == major * 256 + 16 * (disk % 16) + part


@given(st.integers(0, 19), st.integers(0, 63))
def test_an_ide_disk_has_64_numbers_and_two_share_a_major(disk, part):
    major = (3, 22, 33, 34, 56, 57, 88, 89, 90, 91)[disk // 2]
    assert device_number(f"hd{letter(disk)}{part or ''}") == major * 256 + 64 * (disk % 2) + part


@given(st.integers(0, 2**28 - 1))
def test_a_device_may_be_given_by_its_number_in_both_bases(number):
    assert (device_number(str(number)), device_number(hex(number))) == (number, number)


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


@pytest.mark.parametrize(
    "name",
    [
        "",
        "xvd",
        "xvdq",
        "vda",
        "xvda16",
        "sda16",
        "hdu",
        "hda64",
        "xvda0",
        "xvda01",
        "XVDA",
        "xvdaa",
        "0x",
        "٣",
    ],
)
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
        (",hdc:cdrom,r", DiskSpec("", "", "hdc", 5632, "r", is_cdrom=True)),
        (" ,ioemu:hdc:cdrom,r", DiskSpec("", "", "hdc", 5632, "r", is_cdrom=True)),
        ("tap:qcow:/a.q,xvda,w", DiskSpec("tap:qcow", "/a.q", "xvda", 51712, "w")),
        ("nbd:10.0.0.1:1234,sda1,w", DiskSpec("nbd", "10.0.0.1:1234", "sda1", 2049, "w")),
        (" phy:vg0/root , hda1 , w ", DiskSpec("phy", "/dev/vg0/root", "hda1", 769, "w")),
        ("phy:sdb1,xvda,w,store", DiskSpec("phy", "/dev/sdb1", "xvda", 51712, "w", False, "store")),
    ],
)
def test_a_disk_entry_is_read(text, disk):
    assert disk == parse_disk(text)


FORM = "write TYPE:PATH,DEVICE,MODE, as in phy:/dev/sdb1,xvda,w"
TYPES = "use phy, file, tap:aio, tap:sync, tap:qcow, tap:vmdk, tap:ram, nbd, enbd"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", FORM),
        ("phy:sda", FORM),
        ("phy:sda,xvda", FORM),
        ("a,b,c,d,e", FORM),
        ("sda,xvda,w", f"'sda' is not a type; {TYPES}"),
        ("phi:sda,xvda,w", f"'phi' is not a type; {TYPES}"),
        ("tap:x:y,xvda,w", f"'tap:x' is not a type; {TYPES}"),
        ("phy:,xvda,w", "it lacks what is behind the disk, as in phy:/PATH"),
        ("phy:sda,hdc:floppy,w", "'floppy' is not disk or cdrom"),
    ],
)
def test_a_disk_entry_that_is_none_is_refused_in_xms_words_and_with_what_is_allowed(text, why):
    with pytest.raises(HostError) as refusal:
        parse_disk(text)
    assert f"Invalid disk specifier: {text}; {why}" == str(refusal.value)


def test_a_negative_rate_is_refused():
    with pytest.raises(HostError, match=r"Invalid vif rate: -5Mb/s; write one such as 10Mb/s"):
        parse_vif("rate=-5Mb/s")


@pytest.mark.parametrize("text", [",hda,w", ",hda:disk,w", ",ioemu:hda,r", " ,xvda,w"])
def test_only_a_cdrom_drive_may_be_empty(text):
    with pytest.raises(HostError, match="Block device must have physical details specified"):
        parse_disk(text)


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
    assert str(refusal.value) == (
        "Invalid vif option: brige (did you mean 'bridge'?); "
        "use type, mac, bridge, ip, script, backend, vifname, rate, model"
    )


@given(st.text(max_size=60), st.sampled_from([parse_disk, parse_vif, parse_vfb]))
def test_no_text_breaks_the_parsers_or_the_line_of_a_message(text, parse):
    try:
        parse(text)
    except HostError as refusal:
        assert str(refusal).isprintable()
    else:
        assert text.isprintable()


@pytest.mark.parametrize("name", ["a" * 16, "a b", "a/b", "..", ".", "eth%d", "eth0:1", "é"])
def test_a_vifname_that_no_kernel_takes_is_refused(name):
    with pytest.raises(HostError, match=r"Invalid vif vifname: .*; write 1 to 15 letters, digits"):
        parse_vif(f"vifname={name}")


@pytest.mark.parametrize("driver", ["aio", "sync", "qcow", "vmdk", "ram"])
def test_a_disk_of_a_tap_driver_is_of_the_class_tap(driver):
    disk = parse_disk(f"tap:{driver}:/a.dsk,xvda,w")
    assert (disk.device_class, disk.is_tap) == ("tap", True)


@pytest.mark.parametrize("kind", ["phy", "file", "nbd", "enbd", "iscsi"])
def test_any_other_disk_is_of_the_class_vbd(kind):
    disk = parse_disk(f"{kind}:/a.dsk,xvda,w")
    assert (disk.device_class, disk.is_tap) == ("vbd", False)


def test_a_vif_key_without_a_value_is_refused_in_xms_words():
    with pytest.raises(HostError) as refusal:
        parse_vif("mac=00:16:3e:00:00:01,bridge")
    assert str(refusal.value) == "bridge should be a pair, separated by an equals sign."


@pytest.mark.parametrize("mac", ["00:16:3e", "00-16-3e-00-00-01", "00:16:3e:00:00:0g"])
def test_a_vif_with_a_mac_that_is_none_is_refused(mac):
    with pytest.raises(HostError, match="Invalid vif mac: "):
        parse_vif(f"mac={mac}")


def test_every_vif_key_is_read():
    text = "type=ioemu,mac=00:16:3e:00:00:01,bridge=b,ip=10.0.0.1,script=s,backend=d,vifname=n,rate=1MB/s,model=m"
    assert parse_vif(text) == VifSpec(
        mac="00:16:3e:00:00:01", bridge="b", type="ioemu", script="s",
        rate=RateSpec(50_000, 50_000), ip="10.0.0.1", vifname="n", model="m", backend="d",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "vfb"),
    [
        ("", VfbSpec("sdl")),
        ("type=vnc,vncunused=1", VfbSpec("vnc", (("vncunused", "1"),))),
        (
            "keymap=de, vncpasswd = secret, type=vnc, vncdisplay=3",
            VfbSpec("vnc", (("vncdisplay", "3"), ("vncpasswd", "secret"), ("keymap", "de"))),
        ),
        (
            "type=sdl,display=:0,xauthority=/x",
            VfbSpec("sdl", (("display", ":0"), ("xauthority", "/x"))),
        ),
    ],
)
def test_a_vfb_entry_is_read(text, vfb):
    assert vfb == parse_vfb(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour=1", "configuration option colour unknown to vfbs"),
        ("type=x11", "Unknown vfb type: x11; use vnc or sdl"),
        ("vnc", "vnc should be a pair, separated by an equals sign."),
    ],
)
def test_a_vfb_entry_that_is_none_is_refused_in_xms_words(text, message):
    with pytest.raises(HostError) as refusal:
        parse_vfb(text)
    assert message == str(refusal.value)
