from hypervisor.compiled.dynamic import dynamic_operations

C = """\
CPyTagged CPyDef_clock___Clock___native(PyObject *cpy_r_self) {
    CPyTagged cpy_r_r0;
    cpy_r_r0 = CPyTagged_Add(cpy_r_self->now, 2);
    return cpy_r_r0;
}

PyObject *CPyDef_clock___Clock___slow(PyObject *cpy_r_self) {
    cpy_r_r0 = CPyObject_GetAttr(cpy_r_self, cpy_r_name);
    cpy_r_r1 = PyObject_Vectorcall(cpy_r_r0, 0, 0, 0);
    return cpy_r_r1;
}

PyObject *CPyDef_clock___slow_too(void);

char CPyDef_clock_____top_level__(void) {
    cpy_r_r0 = CPyObject_GetAttr(cpy_r_self, cpy_r_name);
    return 1;
}
"""


def found(tmp_path, text):
    file = tmp_path / "model.c"
    file.write_text(text)
    return dynamic_operations([file])


def test_operations_on_objects_are_counted_by_function_but_not_those_of_an_import(tmp_path):
    assert found(tmp_path, C) == {"clock___Clock___slow": 2}


def test_functions_are_in_order(tmp_path):
    later, earlier = (C.replace("clock", name) for name in ("zebra", "ant"))

    assert list(found(tmp_path, later + earlier)) == [
        "ant___Clock___slow",
        "zebra___Clock___slow",
    ]
