"""Describes pprof's profile.proto to the protobuf library.

It was written from the published .proto, independently of xenprof's writer.
"""

from functools import cache
from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

INT64, UINT64, BOOL, STRING, MESSAGE = 3, 4, 8, 9, 11
ONE, MANY = 1, 3

FIELDS: dict[str, list[tuple[int, str, int, int | str]]] = {
    "Profile": [
        (1, "sample_type", MANY, "ValueType"), (2, "sample", MANY, "Sample"),
        (3, "mapping", MANY, "Mapping"), (4, "location", MANY, "Location"),
        (5, "function", MANY, "Function"), (6, "string_table", MANY, STRING),
        (7, "drop_frames", ONE, INT64), (8, "keep_frames", ONE, INT64),
        (9, "time_nanos", ONE, INT64), (10, "duration_nanos", ONE, INT64),
        (11, "period_type", ONE, "ValueType"), (12, "period", ONE, INT64),
        (13, "comment", MANY, INT64), (14, "default_sample_type", ONE, INT64),
        (15, "doc_url", ONE, INT64),
    ],
    "ValueType": [(1, "type", ONE, INT64), (2, "unit", ONE, INT64)],
    "Sample": [
        (1, "location_id", MANY, UINT64), (2, "value", MANY, INT64), (3, "label", MANY, "Label"),
    ],
    "Label": [
        (1, "key", ONE, INT64), (2, "str", ONE, INT64), (3, "num", ONE, INT64),
        (4, "num_unit", ONE, INT64),
    ],
    "Mapping": [
        (1, "id", ONE, UINT64), (2, "memory_start", ONE, UINT64),
        (3, "memory_limit", ONE, UINT64), (4, "file_offset", ONE, UINT64),
        (5, "filename", ONE, INT64), (6, "build_id", ONE, INT64), (7, "has_functions", ONE, BOOL),
        (8, "has_filenames", ONE, BOOL), (9, "has_line_numbers", ONE, BOOL),
        (10, "has_inline_frames", ONE, BOOL),
    ],
    "Location": [
        (1, "id", ONE, UINT64), (2, "mapping_id", ONE, UINT64), (3, "address", ONE, UINT64),
        (4, "line", MANY, "Line"), (5, "is_folded", ONE, BOOL),
    ],
    "Line": [(1, "function_id", ONE, UINT64), (2, "line", ONE, INT64), (3, "column", ONE, INT64)],
    "Function": [
        (1, "id", ONE, UINT64), (2, "name", ONE, INT64), (3, "system_name", ONE, INT64),
        (4, "filename", ONE, INT64), (5, "start_line", ONE, INT64),
    ],
}  # fmt: skip


@cache
def message_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="profile.proto", package="p", syntax="proto3")
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for number, field, label, kind in fields:
            made = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                made.type, made.type_name = MESSAGE, f".p.{kind}"
            else:
                made.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("p.Profile"))


def decoded(data: bytes) -> Any:
    message = message_class()()
    message.ParseFromString(data)
    return message
