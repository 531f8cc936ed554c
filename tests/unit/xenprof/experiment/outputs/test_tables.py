"""Findings for programs."""

import csv
import io
import json

from tests.support.variants import found_small
from xenprof.experiment.outputs.tables import as_csv, as_json


def test_csv_has_a_line_for_each_result_of_a_variant(tmp_path):
    rows = list(csv.reader(io.StringIO(as_csv(found_small(tmp_path)))))

    assert ["cap", "result", "unit", "mean", "low", "high", "seeds"] == rows[0]
    assert ["0", "ran", "%", "95.0", "90.0", "100.0", "2"] == rows[1]
    assert ["0", "of uncapped", "%", "", "", "", "0"] == rows[2]
    assert 5 == len(rows)


def test_json_has_all_seeds(tmp_path):
    found = json.loads(as_json(found_small(tmp_path)))

    assert ("small", 2, 0.02, 0.06) == tuple(
        found[key] for key in ("experiment", "seeds", "warm_up_seconds", "duration_seconds")
    )
    assert {"cap": "50"} == found["variants"][1]["values"]
    assert [50.0, 54.0] == found["variants"][1]["results"][0]["by_seed"]
