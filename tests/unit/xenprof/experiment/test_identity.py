"""What has a say in the results of runs counts."""

from tests.support.loaded_modules import loaded_with
from xenprof.experiment.identity import PARTS
from xenprof.validate.digest import ROOT, sources

WORDS = {"xenprof/experiment/errors.py", "xenprof/experiment/identity.py"}


def test_every_module_of_a_run_counts():
    parts = set(map(str, sources(ROOT, PARTS)))
    loaded = loaded_with("xenprof.experiment.job", ("hypervisor.", "xenprof.experiment."))

    assert WORDS >= {one for one in loaded if one not in parts}
