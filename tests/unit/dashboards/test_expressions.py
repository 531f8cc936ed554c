from dashboards import expressions
from dashboards.expressions import Piece, Role

EXPR = (
    'topk(3, sum by (host, le) (rate(xen_a_bucket{host=~"$host",domain!=""}[5m]))'
    ' / on (host) group_left xenprof_up{host="on"}) or '
    'label_replace(xen_b{}, "domain", "$1", "on_behalf_of", "(.*)")'
)


def named(role: Role) -> list[str]:
    return [piece.text for piece in expressions.pieces(EXPR) if piece.role is role]


def test_pieces_together_are_the_expression():
    assert "".join(piece.text for piece in expressions.pieces(EXPR)) == EXPR


def test_metrics_are_told_from_functions():
    assert named(Role.METRIC) == ["xen_a_bucket", "xenprof_up", "xen_b"]


def test_labels_in_braces_belong_to_their_metric():
    found = [piece for piece in expressions.pieces(EXPR) if piece.role is Role.SELECTOR]
    assert found == [
        Piece(Role.SELECTOR, "host", "xen_a_bucket"),
        Piece(Role.SELECTOR, "domain", "xen_a_bucket"),
        Piece(Role.SELECTOR, "host", "xenprof_up"),
    ]


def test_labels_of_sums_and_joins_are_groups():
    assert named(Role.GROUP) == ["host", "le", "host"]


def test_labels_in_quotes_are_arguments_of_label_replace_only():
    assert named(Role.TEXT) == ['"domain"', '"on_behalf_of"']


def test_a_histogram_is_known_by_any_of_its_series():
    assert [expressions.family(f"xen_a_{end}") for end in ("bucket", "sum", "count", "total")] == [
        "xen_a", "xen_a", "xen_a", "xen_a_total",
    ]  # fmt: skip
