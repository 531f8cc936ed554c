import ctypes

import pytest

from hypervisor.live.agent.xenoprof import layouts

U16, U32, S32, U64 = ctypes.c_uint16, ctypes.c_uint32, ctypes.c_int32, ctypes.c_uint64
HEADER = {  # of xen/include/public/xenoprof.h, with what a compiler puts between
    "INIT": (S32, S32, ctypes.c_char * 64),
    "PASSIVE": (U16, S32, S32, S32, U64),
    "GET_BUFFER": (S32, S32, S32, U64),
    "COUNTER": (U32, U64, U32, U32, U32, U32, U32, U64),
    "BUFFER": (U32, U32, U32, U32, U64, U64, U64, U64),
    "ENTRY": (U64, ctypes.c_uint8, ctypes.c_uint8),
}


@pytest.mark.parametrize("name", HEADER)
def test_structures_lie_in_memory_as_a_compiler_has_them(name):
    kinds = HEADER[name]
    fields = [(f"f{number}", kind) for number, kind in enumerate(kinds)]
    compiled = type(name, (ctypes.Structure,), {"_fields_": fields})()
    values = [
        b"type" if kind is kinds[-1] and name == "INIT" else number + 1
        for number, kind in enumerate(kinds)
    ]
    for (field, _), value in zip(fields, values, strict=True):
        setattr(compiled, field, value)

    assert bytes(compiled) == getattr(layouts, name).pack(*values)
