"""YAML by the rules of YAML 1.2's core schema, which PyYAML does not follow.

PyYAML reads `1e-3` as text, `010` as 8 and `off` as False. Here they are 0.001, 10 and text.
A key that stands twice in one mapping is a fault, with the lines of both.

Reference: https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import yaml

from grokkeras.errors import Fault, UserError

_RULES = [
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
]
_Resolvers = dict[str, list[tuple[str, re.Pattern[str]]]]
_SEQUENCE = "tag:yaml.org,2002:seq"


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: ClassVar[_Resolvers] = {}  # type: ignore[misc]

    def construct_int(self, node: yaml.ScalarNode) -> int:
        text = self.construct_scalar(node)
        try:
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        except ValueError as error:  # `!!int abc`, or more digits than Python converts
            raise yaml.constructor.ConstructorError(
                None, None, f"{text[:40]!r} is no whole number", node.start_mark
            ) from error

    def construct_float(self, node: yaml.ScalarNode) -> float:
        text = self.construct_scalar(node)
        try:
            return float(re.sub(r"\.(?=[iInN])", "", text))
        except ValueError as error:
            raise yaml.constructor.ConstructorError(
                None, None, f"{text[:40]!r} is no number", node.start_mark
            ) from error


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers: ClassVar[_Resolvers] = {}  # type: ignore[misc]

    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_representer(
    list, lambda dumper, data: dumper.represent_sequence(_SEQUENCE, data, flow_style=True)
)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_float)
for _class in (_Loader, _Dumper):
    for _tag, _pattern, _first in _RULES:
        _class.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern})$"), _first)


def parse_yaml(text: str, source: str = "the text") -> tuple[Any, list[Fault]]:
    """Reads one YAML document.

    Args:
        text: the document.
        source: what to call it in messages.

    Returns:
        The value, and a fault for each key that stands twice (the last one counts).

    Raises:
        UserError: the text is no YAML; says line and column.
    """
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None, []
        duplicates = _duplicates(node, (), set())
        return loader.construct_document(node), duplicates
    except yaml.YAMLError as error:
        raise UserError(f"{source} is not valid YAML: {_problem(error)}.") from error
    except (RecursionError, ValueError) as error:
        raise UserError(f"{source} is not valid YAML: {_first_line(error)}.") from error
    finally:
        if loader is not None:
            loader.dispose()


def format_yaml(value: object) -> str:
    """Writes plain data so that `parse_yaml` reads the same back, keys in the order given."""
    # Letters beyond ASCII are escaped: PyYAML loses some line separators if it may write them.
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=100)


def _duplicates(node: yaml.Node, path: tuple[str, ...], seen: set[int]) -> list[Fault]:
    if id(node) in seen:  # an alias: its anchor was looked at already
        return []
    seen.add(id(node))
    faults: list[Fault] = []
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in lines:
                where = f"lines {lines[name]} and {line}"
                if line == lines[name]:
                    where = f"line {line} twice"
                second = value.value if isinstance(value, yaml.ScalarNode) else "a second value"
                dotted = ".".join((*path, name))
                faults.append(Fault(dotted, second, f"the key once; it stands in {where}"))
            lines[name] = line
            faults += _duplicates(value, (*path, name), seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            faults += _duplicates(value, (*path, str(index)), seen)
    return faults


def _problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return where + (problem or _first_line(error))


def _first_line(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error).splitlines()[0]
