"""Generic mistakes, found by the syntax tree: any operator, axis, flag, activation or function swapped.

The mistakes in the manifests were thought of by those who wrote the checks. These were not: they are drawn at
random from all that can be changed in the code of a notebook. Which of them no cell notices shows what a
notebook says without checking it.
"""

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import collection

OPERATORS = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.Pow: ("**", "*"),
}
COMPARISONS = {
    ast.Lt: ("<", ">"),
    ast.Gt: (">", "<"),
    ast.LtE: ("<=", ">="),
    ast.GtE: (">=", "<="),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
}
ACTIVATIONS = {"relu": "tanh", "tanh": "sigmoid", "sigmoid": "tanh", "softmax": "sigmoid", "linear": "relu"}
PAIRS = (
    ("mean", "sum"),
    ("max", "min"),
    ("argmax", "argmin"),
    ("maximum", "minimum"),
    ("sin", "cos"),
    ("sqrt", "square"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("exp", "log"),
)
FUNCTIONS = dict(PAIRS) | {second: first for first, second in PAIRS}
SLICES = {":-1": "1:", "1:": ":-1"}
# Whatever is asked of these only draws.
DRAWING = {"ax", "axes", "axis", "figure", "plt", "image", "bars", "line", "panel", "panels"}


@dataclass(frozen=True)
class Mutation:
    """A generic mistake.

    Attributes:
        cell: Id of the cell.
        kind: What was changed: `"operator"`, `"axis"`, `"flag"`, …
        line: Number of the line in the cell, from 1.
        before: That line, without the white space around it.
        after: What it becomes.
        source: The cell with the mistake.
    """

    cell: str
    kind: str
    line: int
    before: str
    after: str
    source: str


def mutations(notebook: Path) -> list[Mutation]:
    """Return every generic mistake that can be made in a notebook, in the order of the code.

    Cells that only draw, blanks of exercises, texts and whatever is asked of an axis are left alone.

    Args:
        notebook: Path of the notebook.
    """
    found = []
    for cell in collection.code_cells(collection.read(notebook)):
        tree = ast.parse(cell.source)
        blank = any(isinstance(node, ast.Constant) and node.value is ... for node in ast.walk(tree))
        if collection.is_solution(cell) or not (collection.is_folded(cell) or blank):
            found += _mutations_of(cell.id, cell.source, tree)
    return found


def drawn(notebook: Path, count: int, seed: int) -> list[Mutation]:
    """Return some generic mistakes, drawn at random without replacement.

    Args:
        notebook: Path of the notebook.
        count: How many.
        seed: The same seed draws the same from the same notebook.
    """
    known = mutations(notebook)
    chosen = random.Random(seed).sample(range(len(known)), min(count, len(known)))
    return [known[place] for place in sorted(chosen)]


def _mutations_of(cell: str, source: str, tree: ast.Module) -> Iterator[Mutation]:
    data = source.encode()  # the offsets of a syntax tree count bytes
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for kind, (first, start), (last, end), new in _changes(tree, data, starts):
        begin, stop = starts[first - 1] + start, starts[last - 1] + end
        changed = (data[:begin] + new.encode() + data[stop:]).decode()
        number = data[:begin].count(b"\n") + 1
        before, after = (text.splitlines()[number - 1].strip() for text in (source, changed))
        yield Mutation(cell, kind, number, before, after, changed)


# What is changed, from which (line, byte) to which, and the new text.
Change = tuple[str, tuple[int, int], tuple[int, int], str]


def _changes(tree: ast.Module, data: bytes, starts: list[int]) -> Iterator[Change]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom) or _draws(node):
            continue
        waiting[:0] = ast.iter_child_nodes(node)
        yield from _changes_of(node, data, starts)


def _changes_of(node: ast.AST, data: bytes, starts: list[int]) -> Iterator[Change]:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            yield from _between("operator", left, right, OPERATORS[type(op)], data, starts)
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            yield "operands", _begin(node), _end(node), f"({ast.unparse(right)}) @ ({ast.unparse(left)})"
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            yield from _between("comparison", left, right, COMPARISONS[type(op)], data, starts)
        case ast.AugAssign(target=left, op=ast.Add(), value=right):
            yield from _between("operator", left, right, ("+=", "-="), data, starts)
        case ast.AugAssign(target=left, op=ast.Sub(), value=right):
            yield from _between("operator", left, right, ("-=", "+="), data, starts)
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            yield "sign", _begin(node), (node.lineno, node.col_offset + 1), ""
        case ast.keyword(arg="axis", value=value) if isinstance(value, ast.Constant | ast.UnaryOp):
            yield "axis", _begin(value), _end(value), "1" if ast.unparse(value) == "0" else "0"
        case ast.Constant(value=bool(flag)):
            yield "flag", _begin(node), _end(node), str(not flag)
        case ast.Constant(value=str(name)) if name in ACTIVATIONS:
            yield "activation", _begin(node), _end(node), f'"{ACTIVATIONS[name]}"'
        case ast.Call(func=ast.Attribute(attr=name) as called) if name in FUNCTIONS:
            yield "function", _before_end(called, len(name)), _end(called), FUNCTIONS[name]
        case ast.Attribute(attr="T"):
            yield "transpose", _before_end(node, len(".T")), _end(node), ""
        case ast.Slice(step=None) if (written := ast.unparse(node)) in SLICES:
            yield "slice", _begin(node), _end(node), SLICES[written]


def _between(
    kind: str, left: ast.expr, right: ast.expr, change: tuple[str, str], data: bytes, starts: list[int]
) -> Iterator[Change]:
    (first, start), (last, end) = _end(left), _begin(right)
    gap = data[starts[first - 1] + start : starts[last - 1] + end].decode()
    yield kind, (first, start), (last, end), gap.replace(*change, 1)


def _begin(node: ast.expr | ast.Slice) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr | ast.Slice) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset


def _before_end(node: ast.expr, length: int) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset - length


def _draws(node: ast.AST) -> bool:
    """Tell whether a node is a call that only draws."""
    if not isinstance(node, ast.Call):
        return False
    root = node.func
    while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
        root = root.func if isinstance(root, ast.Call) else root.value
    return isinstance(root, ast.Name) and root.id in DRAWING
