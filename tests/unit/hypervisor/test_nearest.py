from hypervisor.nearest import hint, nearest


def test_the_nearest_word_is_found():
    assert nearest("opreprot", ["opcontrol", "opreport"]) == "opreport"


def test_nothing_is_near_to_nonsense():
    assert nearest("zzz", ["opcontrol", "opreport"]) is None


def test_the_hint_names_the_nearest_word():
    assert hint("stats", ["status", "stop"]) == " (did you mean 'status'?)"


def test_without_a_near_word_there_is_no_hint():
    assert hint("zzz", ["status"]) == ""
