import signal

from hypervisor.live.agent.recording.untiltold import until_told


def test_a_signal_that_ends_a_program_is_told_and_means_afterwards_what_it_did():
    before = signal.getsignal(signal.SIGTERM)
    with until_told() as wait:
        signal.raise_signal(signal.SIGTERM)
        is_told = wait(0.0)

    assert (True, before) == (is_told, signal.getsignal(signal.SIGTERM))
