from xenprof.optools.annotate.addresslabels import AddressLabels

LABELS = AddressLabels({0x10: "f", 0x30: "table"}, {0x38: "printf@GLIBC_2.2.5"})


def test_an_address_has_the_nearest_symbol_at_or_below_it() -> None:
    assert ["", "<f>", "<f+0x8>", "<table>", "<table+0x1>"] == [
        LABELS(address) for address in (0xF, 0x10, 0x18, 0x30, 0x31)
    ]


def test_a_word_that_the_linker_fills_has_the_name_of_what_goes_there() -> None:
    assert "<printf@GLIBC_2.2.5>" == LABELS(0x38)
