"""Reads xm configuration files as data.

The original executes them as Python. Here a file is a list of assignments whose values are
literals, lists, names assigned before, arithmetic, `%` on strings, `int()` and `str()`;
everything else is refused with its line and with what to write instead. Nothing in a file can
take more than a bounded amount of time or memory.
"""

import ast
import re
import warnings
from collections.abc import Mapping, Sequence

from hypervisor.errors import HostError
from hypervisor.toolstack.config.configcode import instead
from hypervisor.toolstack.config.options import LIST_SETTINGS, SETTINGS

Scalar = str | int | float
Value = Scalar | list[Scalar]
Overrides = Mapping[str, str | Sequence[str]]

MAXIMUM_TEXT = 64 * 1024  # characters in a file
_MAXIMUM_DEPTH = 100  # of one expression
_MAXIMUM_WORK = 1024 * 1024  # characters and list items made by all expressions of a file
_MAXIMUM_NUMBER = 2**63

_CODE = "code is not executed here"

_CONVERSION = re.compile(r"%(?:%|(?:\(\w{1,40}\))?[-0 ]?(\d{0,3})[sdixXo])")
_NUMBER = re.compile(r"\s*[-+]?\d{1,19}\s*", re.ASCII)


class ConfigFileError(HostError):
    """Says that a configuration file cannot be used: `FILE:LINE: what`."""


def parse_config(text: str, name: str, overrides: Overrides | None = None) -> dict[str, Value]:
    """Return the variables of a configuration file that are strings, numbers or lists.

    `name` is for messages. `overrides` are `name=value` words of the command line: settings
    win over the file (several values make a list), other names are variables for the file.
    Raises: ConfigFileError.
    """
    overrides = {key: [v] if isinstance(v, str) else v for key, v in (overrides or {}).items()}
    variables = {k: v[-1] for k, v in overrides.items() if v and k not in SETTINGS}
    values = _Evaluator(name, variables).run(_parse(text, name))
    for key, given in overrides.items():
        if key in SETTINGS and given:
            values[key] = list(given) if key in LIST_SETTINGS else given[-1]
    return values


def _parse(text: str, name: str) -> ast.Module:
    text = text.removeprefix("\ufeff")  # the byte order mark that some editors write
    if len(text) > MAXIMUM_TEXT:
        raise ConfigFileError(f"{name}: larger than {MAXIMUM_TEXT} characters; not a config file")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigFileError(f"{name}:{line}: not a config file (binary)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings about odd escapes in strings
            return ast.parse(text, name)
    except SyntaxError as error:
        what = _CODE if "print" in error.msg else error.msg
        raise ConfigFileError(f"{name}:{error.lineno or 1}: {what}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ConfigFileError(f"{name}: not a config file (binary or nested too deep)") from None


class _Evaluator:
    """Computes the values of the expressions of one file, within a budget of work."""

    def __init__(self, name: str, variables: Mapping[str, str]) -> None:
        self._name = name
        self._work = 0
        self._names: dict[str, object] = dict(variables)

    def run(self, module: ast.Module) -> dict[str, Value]:
        """Carry out every assignment; return the variables that have the type of a setting."""
        for statement in module.body:
            self._execute(statement)
        return {k: v for k, v in self._names.items() if isinstance(v, str | int | float | list)}

    def _execute(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign(targets=targets, value=value):
                result = self._value(value, 0)
                for target in targets:
                    self._names[self._target(target)] = result
            case ast.AugAssign(target=target, op=ast.Add(), value=value):
                name = self._target(target)
                left = self._variable(name, target)
                self._names[name] = self._add(left, self._value(value, 0), statement)
            case ast.Expr(value=ast.Constant(value=str())) | ast.Pass():
                pass
            case _:
                raise self._refusal(statement, f"{_CODE}; {instead(statement)}")

    def _target(self, target: ast.expr) -> str:
        if not isinstance(target, ast.Name):
            raise self._refusal(target, "only a plain name can be assigned")
        return target.id

    def _variable(self, name: str, node: ast.AST) -> object:
        if name not in self._names:
            raise self._refusal(node, f"name '{name[:40]}' is not defined")
        return self._names[name]

    def _value(self, node: ast.expr, depth: int) -> object:
        if depth > _MAXIMUM_DEPTH:
            raise self._refusal(node, "expression nested too deep")
        match node:
            case ast.Constant(value=str() | int() | float() | None as value):
                return self._checked(value, node)
            case ast.Name(id=name):
                return self._variable(name, node)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                values = [self._value(item, depth + 1) for item in items]
                if not all(isinstance(value, str | int | float) for value in values):
                    raise self._refusal(node, "a list may hold strings and numbers only")
                self._charge(_size(values), node)
                return values if isinstance(node, ast.List) else tuple(values)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self._value(operand, depth + 1)
                if isinstance(number, int | float):
                    return -number
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._add(self._value(left, depth + 1), self._value(right, depth + 1), node)
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                template = self._value(left, depth + 1)
                if isinstance(template, int | float):
                    return self._computed(template, node.op, self._value(right, depth + 1), node)
                return self._format(template, self._operands(right, depth + 1), node)
            case ast.BinOp(left=left, op=operator, right=right):
                return self._computed(
                    self._value(left, depth + 1), operator, self._value(right, depth + 1), node
                )
            case ast.Call(func=ast.Name(id="int" | "str" as kind), args=[argument], keywords=[]):
                return self._converted(kind, self._value(argument, depth + 1), node)
        if isinstance(node, ast.Constant | ast.Dict | ast.Set | ast.UnaryOp):
            raise self._refusal(node, "only literals, lists, names and arithmetic are understood")
        raise self._refusal(node, f"{_CODE}; {instead(node)}")

    def _operands(self, node: ast.expr, depth: int) -> object:
        """Return what stands behind a % of strings; only there a dictionary may stand."""
        if not isinstance(node, ast.Dict):
            return self._value(node, depth)
        keys = [None if key is None else self._value(key, depth) for key in node.keys]
        values = [self._value(value, depth) for value in node.values]
        self._charge(_size(keys) + _size(values), node)
        if any(isinstance(value, list) for value in (*keys, *values)) or None in keys:
            raise self._refusal(node, "a dictionary may hold strings and numbers only")
        return dict(zip(keys, values, strict=True))

    def _computed(
        self, left: object, operator: ast.operator, right: object, node: ast.AST
    ) -> object:
        """Return a product, difference, quotient or remainder, as Python 2 computes them."""
        if isinstance(operator, ast.Mult):
            if isinstance(left, int) and isinstance(right, str | list):
                left, right = right, left
            if isinstance(left, str | list) and isinstance(right, int):
                self._charge((_size(left) + 1) * max(right, 0), node)
                return left * right
        if not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise self._refusal(node, "arithmetic is understood on numbers only")
        try:
            match operator:
                case ast.Mult():
                    return self._checked(left * right, node)
                case ast.Sub():
                    return self._checked(left - right, node)
                case ast.Mod():
                    return self._checked(left % right, node)
                case ast.FloorDiv():
                    return self._checked(left // right, node)
                case ast.Div():
                    whole = isinstance(left, int) and isinstance(right, int)
                    return self._checked(left // right if whole else left / right, node)
        except (ZeroDivisionError, OverflowError) as error:
            raise self._refusal(node, str(error)) from None
        raise self._refusal(node, "only + - * / // and % are understood")

    def _converted(self, kind: str, value: object, node: ast.AST) -> object:
        if kind == "str" and isinstance(value, str | int | float):
            return self._checked(str(value), node)
        if isinstance(value, int | float):
            return self._checked(int(value), node)
        if isinstance(value, str) and kind == "int" and _NUMBER.fullmatch(value):
            return self._checked(int(value), node)
        raise self._refusal(node, f"{kind}() takes a number here, or a string that is one")

    def _add(self, left: object, right: object, node: ast.AST) -> object:
        if isinstance(left, str) and isinstance(right, str):
            self._charge(len(left) + len(right), node)
            return left + right
        if isinstance(left, list) and isinstance(right, list):
            self._charge(_size(left) + _size(right), node)
            return left + right
        if isinstance(left, int | float) and isinstance(right, int | float):
            return self._checked(left + right, node)
        raise self._refusal(node, "+ joins two strings, two lists or two numbers")

    def _format(self, template: object, values: object, node: ast.AST) -> str:
        operands = values if isinstance(values, tuple | dict) else (values,)
        shown = operands.values() if isinstance(operands, dict) else operands
        if not isinstance(template, str) or any(isinstance(v, list) for v in shown):
            raise self._refusal(node, "% puts strings and numbers into a string")
        if "%" in _CONVERSION.sub("", template):
            raise self._refusal(node, "only %s, %d, %i, %x, %X and %o are understood")
        widths = sum(int(width or 0) for width in _CONVERSION.findall(template))
        # A key may be put in as often as the template has conversions.
        times = template.count("%") if isinstance(operands, dict) else 1
        self._charge(len(template) + widths + times * sum(len(str(v)) for v in shown), node)
        try:
            return template % operands
        except KeyError as error:
            raise self._refusal(node, f"% has no value for {error}") from None
        except (TypeError, ValueError, OverflowError) as error:
            raise self._refusal(node, str(error)) from None

    def _checked(self, value: Scalar | None, node: ast.AST) -> object:
        if isinstance(value, str):
            self._charge(len(value), node)
        elif value is not None and not -_MAXIMUM_NUMBER <= value <= _MAXIMUM_NUMBER:
            raise self._refusal(node, "number too large")
        return value

    def _charge(self, amount: int, node: ast.AST) -> None:
        self._work += amount + 1
        if self._work > _MAXIMUM_WORK:
            raise self._refusal(node, "the file grows too large here")

    def _refusal(self, node: ast.AST, what: str) -> ConfigFileError:
        return ConfigFileError(f"{self._name}:{getattr(node, 'lineno', 1)}: {what}")


def _size(values: Sequence[object]) -> int:
    """Return the share of a list in the budget: its characters, and one for each item."""
    return sum(len(str(value)) + 1 for value in values)
