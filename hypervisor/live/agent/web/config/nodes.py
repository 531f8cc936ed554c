"""Takes from the nodes of a file what is wanted there. All raise NotPlain for anything else."""

from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from hypervisor.live.agent.web.config.plainyaml import Node, NotPlain


def keys_of(node: Node, known: Sequence[str]) -> Dict[str, Node]:
    """Return a mapping whose keys are all among `known`; an empty one if nothing is given."""
    if node.value is None:
        return {}
    if not isinstance(node.value, dict):
        raise NotPlain(node.line, "a mapping of keys to values is wanted here")
    for key, value in node.value.items():
        if key not in known:
            raise NotPlain(value.line, f"no key {key!r}; there are {', '.join(known)}")
    return node.value


def text_of(node: Node) -> str:
    """Return a text."""
    if not isinstance(node.value, str):
        raise NotPlain(node.line, "a text is wanted here; put it in quotes")
    return node.value


def texts_of(node: Node) -> Tuple[str, ...]:
    """Return a list of texts."""
    if not isinstance(node.value, list):
        raise NotPlain(node.line, "a list of texts is wanted here")
    words: List[Node] = node.value
    return tuple(text_of(word) for word in words)


def truth_of(node: Optional[Node], otherwise: bool) -> bool:
    """Return whether it says true; `otherwise` if it is not there."""
    if node is None:
        return otherwise
    if not isinstance(node.value, bool):
        raise NotPlain(node.line, "true or false is wanted here")
    return node.value


def file_of(given: Mapping[str, Node], name: str, folder: Path) -> str:
    """Return the path of a file that is there; relative ones begin at the config file."""
    node = given.get(name)
    text = "" if node is None else text_of(node)
    if node is None or not text:
        return ""
    path = folder / text
    if not path.is_file():
        raise NotPlain(node.line, f"no such file: {text}")
    return str(path)
