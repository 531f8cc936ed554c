from hypervisor.live.agent.process.memory import resident_bytes


def test_the_resident_memory_is_that_of_this_process():
    assert (resident_bytes() or 0) > 1 << 20
