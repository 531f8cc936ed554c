"""Says what to write in a configuration file instead of Python code that is not executed."""

import ast

_ENTRIES = "write every entry out: disk = ['phy:a,xvda,w', 'phy:b,xvdb,w']"
_COMMAND_LINE = "NAME=VALUE on the command line sets NAME for the file"
_LOOP = f"instead of a loop {_ENTRIES}"
_CONDITION = f"instead of a condition write the value itself; {_COMMAND_LINE}"
_FUNCTION = f"instead of a function write the value itself; {_COMMAND_LINE}"
_IMPORT = f"instead of importing write the values themselves; {_COMMAND_LINE}"

_BY_KIND: tuple[tuple[tuple[type[ast.AST], ...], str], ...] = (
    ((ast.For, ast.While, ast.AsyncFor), _LOOP),
    ((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), _LOOP),
    ((ast.If, ast.IfExp, ast.Compare, ast.BoolOp, ast.Try, ast.Assert), _CONDITION),
    ((ast.Import, ast.ImportFrom), _IMPORT),
    ((ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.AsyncFunctionDef), _FUNCTION),
    ((ast.JoinedStr,), "instead of f'...' write '...%s' % NAME"),
    ((ast.Subscript, ast.Attribute), "write the value itself"),
)  # fmt: skip
_BY_METHOD = {
    "append": "instead of append write NAME = NAME + ['...']",
    "extend": "instead of extend write NAME = NAME + ['...']",
    "insert": f"instead of insert {_ENTRIES}",
    "format": "instead of format write '...%s' % NAME",
    "join": "instead of join write the string itself",
}
_BY_NAME = {
    "xm_vars": f"xm_vars is not needed: {_COMMAND_LINE}",
    "os": f"instead of asking the system write the value itself; {_COMMAND_LINE}",
    "range": _LOOP,
    "map": _LOOP,
}


def instead(node: ast.AST) -> str:
    """Return what to write instead of a statement or an expression that is code."""
    if isinstance(node, ast.Expr):
        return instead(node.value)
    for kinds, text in _BY_KIND:
        if isinstance(node, kinds) and not _names(node) & _BY_NAME.keys():
            return text
    for name in _names(node):
        if name in _BY_NAME:
            return _BY_NAME[name]
    if isinstance(node, ast.Call):
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        return _BY_METHOD.get(method, "write the value itself")
    return "only `name = value` lines are understood"


def _names(node: ast.AST) -> set[str]:
    """Return the name that a call or an attribute begins with, if it does."""
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()
