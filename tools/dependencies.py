"""Which cells of a notebook depend on which others, read from their code without running it.

A cell depends on the cells that last gave a value to the names it looks up, also those that a function looks
up when the cell calls it, and on the cells that have changed such a value in place since. What no name shows
stays unseen: a global seed, or an object that is changed under another name. Who cuts a notebook by this has
to see that the rest still works; who wants to know whether a name is missing need not.
"""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
# Starts TensorFlow silently, so it stays wherever one of them does.
_SILENT_START, _LOUD = "utils.training", {"keras", "tensorflow"}


@dataclass
class Names:
    """The names in a cell.

    Attributes:
        needed: Looked up while the cell runs, and not given a value by the cell itself before that.
        later: Looked up by the functions that the cell defines, when somebody calls them.
        given: Given a value, whatever happens.
        changed: Given a value on some paths only, or changed in place.
        imported: Modules, and what was taken out of them; they are given a value, too.
    """

    needed: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)


def names_of(source: str) -> Names:
    """Return the names in a cell.

    Args:
        source: The code of the cell.
    """
    reader = _Reader()
    for statement in ast.parse(source).body:
        reader.visit(statement)
    reader.names.later -= reader.names.given
    return reader.names


def sources_of(cells: Sequence[Names]) -> list[set[int]]:
    """Return for each cell the places of the earlier cells that it needs itself, apart from what those need.

    Args:
        cells: The names in the code cells of a notebook, in order.
    """
    found: list[set[int]] = []
    giver: dict[str, int] = {}
    changers: dict[str, set[int]] = {}
    behind: dict[str, set[str]] = {}  # name → what it looks up when it is called
    modules = set().union(*(names.imported for names in cells))  # a call of theirs does not change them
    for place, names in enumerate(cells):
        changed = names.changed - modules
        wanted, waiting = set(), list(names.needed | names.later | changed)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting.extend(behind.get(name, ()))
        found.append({giver[name] for name in wanted if name in giver})
        found[-1].update(*(changers.get(name, ()) for name in wanted))
        for name in names.given:
            giver[name], changers[name], behind[name] = place, set(), names.later
        for name in changed - names.given:
            changers.setdefault(name, set()).add(place)
            behind[name] = behind.get(name, set()) | names.later
    return found


def with_sources(places: Iterable[int], sources: Sequence[set[int]]) -> set[int]:
    """Return the places of cells and of everything that they need.

    Args:
        places: Where the cells are.
        sources: What `sources_of` found.
    """
    reached, waiting = set(), list(places)
    while waiting:
        place = waiting.pop()
        if place not in reached:
            reached.add(place)
            waiting.extend(sources[place])
    return reached


def reached_from(place: int, sources: Sequence[set[int]]) -> set[int]:
    """Return the places of the later cells that need a cell, directly or by way of others.

    Args:
        place: Where the cell is.
        sources: What `sources_of` found.
    """
    reached = {place}
    for later in range(place + 1, len(sources)):
        if sources[later] & reached:
            reached.add(later)
    return reached - {place}


def without_unused_imports(source: str, others: Iterable[str]) -> str:
    """Return a cell without the imports that a copy does not need, and without what it does to them.

    That spares the copy the start of TensorFlow where only NumPy is used.

    Args:
        source: The code of the cell.
        others: The code of all cells of the copy.
    """
    statements = ast.parse(source).body
    if not any(isinstance(statement, ast.Import | ast.ImportFrom) for statement in statements):
        return source
    used = set()
    for other in others:
        parts = ast.parse(other).body
        if any(isinstance(part, ast.Import | ast.ImportFrom) for part in parts):
            # Settings are made for those who come later: they alone need no module.
            parts = [part for part in parts if not isinstance(part, ast.Expr)]
        used |= {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}
    loud = any(
        alias.name.partition(".")[0] in _LOUD and (alias.asname or alias.name) in used
        for statement in statements
        if isinstance(statement, ast.Import)
        for alias in statement.names
    )
    kept, dropped = [], set()
    for statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            silent = loud and getattr(statement, "module", None) == _SILENT_START
            names = [alias for alias in statement.names if silent or (alias.asname or alias.name) in used]
            dropped |= {alias.asname or alias.name for alias in statement.names if alias not in names}
            if names:
                statement.names = names
                kept.append(ast.unparse(statement))
        elif not dropped & {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}:
            kept.append(ast.get_source_segment(source, statement))
    return "\n".join(kept)


def _root(node: ast.AST) -> str | None:
    """Return the name with which `a.b[c].d` begins."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


class _Reader(ast.NodeVisitor):
    """Goes through code in the order in which Python runs it, and notes names."""

    def __init__(self) -> None:
        self.names = Names()

    def visit_Name(self, node: ast.Name) -> None:
        """Note a name that is looked up, given a value or deleted."""
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.names.given:
                self.names.needed.add(node.id)
        else:
            self.names.given.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note a change in place, as in `a.b = 1`."""
        self._visit_part(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """Note a change in place, as in `a[b] = 1`."""
        self._visit_part(node)

    def _visit_part(self, node: ast.Attribute | ast.Subscript) -> None:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            self._change(_root(node))

    def visit_Expr(self, node: ast.Expr) -> None:
        """Note what a statement that is nothing but a call may change: `a.append(1)`, `train(a)`."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Call):
            call = node.value
            owner = _root(call.func) if isinstance(call.func, ast.Attribute) else None
            self._change(owner)

    def visit_Call(self, node: ast.Call) -> None:
        """Note that training changes a network, whatever becomes of the answer."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "fit":
            self._change(_root(node.func))

    def _change(self, name: str | None) -> None:
        if name is not None and name not in self.names.given:  # else it is the cell's own
            self.names.changed.add(name)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Go through the value before the targets."""
        self._visit_all([node.value, *node.targets])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Go through the value before the target."""
        self._visit_all([node.annotation, *filter(None, [node.value])])
        if node.value is not None:
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Note that `a += 1` looks up `a`, and may change it in place."""
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self.visit(ast.Name(node.target.id, ast.Load()))
        self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Go through the value before the target."""
        self._visit_all([node.value, node.target])

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        """Go through a loop as if it ran once; one that never runs gives no value to anything."""
        self._visit_all([node.iter, node.target, *node.body, *node.orelse])

    visit_AsyncFor = visit_For  # noqa: N815 (ast calls it so)

    def visit_If(self, node: ast.If) -> None:
        """Note what both branches give as given, and the rest as changed."""
        self.visit(node.test)
        self._visit_branches(node.body, node.orelse)

    def visit_While(self, node: ast.While) -> None:
        """Note what is given where the loop never runs as changed."""
        self.visit(node.test)
        self._visit_branches(node.body, node.orelse)

    def visit_Try(self, node: ast.Try) -> None:
        """Note what is given on some paths only as changed."""
        self._visit_branches([*node.body, *node.orelse], *(handler.body for handler in node.handlers))
        self._visit_all(node.finalbody)

    def visit_Match(self, node: ast.Match) -> None:
        """Note what a case gives as changed."""
        self.visit(node.subject)
        self._visit_branches([], *(case.body for case in node.cases))

    def _visit_branches(self, *branches: Sequence[ast.stmt]) -> None:
        before, ends = set(self.names.given), []
        for branch in branches:
            self.names.given = set(before)
            self._visit_all(branch)
            ends.append(self.names.given)
        self.names.given = set.intersection(*ends)
        self.names.changed |= set.union(*ends) - self.names.given

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Note the names that an import gives."""
        names = {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        self.names.imported |= names
        self.names.given |= names

    visit_ImportFrom = visit_Import  # noqa: N815 (ast calls it so)

    def _visit_definition(self, node: ast.AST) -> None:
        """Note what happens now, and what will happen later."""
        self._visit_all(_at_once(node))
        self.names.later |= _free(node)
        if not isinstance(node, ast.Lambda):
            self.names.given.add(node.name)

    visit_FunctionDef = _visit_definition  # noqa: N815 (ast calls it so)
    visit_AsyncFunctionDef = _visit_definition  # noqa: N815
    visit_ClassDef = _visit_definition  # noqa: N815
    visit_Lambda = _visit_definition  # noqa: N815

    def _visit_comprehension(self, node: ast.AST) -> None:
        for name in _free(node) - self.names.given:
            self.names.needed.add(name)
        for part in ast.walk(node):  # a function in it is called who knows when, and `:=` reaches out of it
            if isinstance(part, ast.NamedExpr):
                self.names.given.add(part.target.id)

    visit_ListComp = _visit_comprehension  # noqa: N815
    visit_SetComp = _visit_comprehension  # noqa: N815
    visit_DictComp = _visit_comprehension  # noqa: N815
    visit_GeneratorExp = _visit_comprehension  # noqa: N815

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)


def _at_once(node: ast.AST) -> list[ast.expr]:
    """Return the parts of a definition that run where it stands: decorators, defaults and bases."""
    parts = [*getattr(node, "decorator_list", [])]
    if isinstance(node, ast.ClassDef):
        return parts + node.bases + [word.value for word in node.keywords]
    return parts + node.args.defaults + [default for default in node.args.kw_defaults if default is not None]


def _free(node: ast.AST) -> set[str]:
    """Return the names that a function, a class or a comprehension looks up outside of itself."""
    if isinstance(node, _COMPREHENSIONS):
        waiting = list(ast.iter_child_nodes(node))
    else:
        waiting = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    loaded, bound, outside = set(), set(), set()
    if isinstance(node, _FUNCTIONS):
        bound |= {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
    while waiting:
        part = waiting.pop()
        if isinstance(part, (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)):
            loaded |= _free(part)
            if not isinstance(part, _COMPREHENSIONS):
                waiting.extend(_at_once(part))
            if hasattr(part, "name"):
                bound.add(part.name)
            continue
        if isinstance(part, ast.Name):
            (loaded if isinstance(part.ctx, ast.Load) else bound).add(part.id)
        elif isinstance(part, ast.alias):
            bound.add(part.asname or part.name.partition(".")[0])
        elif isinstance(part, ast.ExceptHandler) and part.name:
            bound.add(part.name)
        elif isinstance(part, ast.Global):
            outside |= set(part.names)
        waiting.extend(ast.iter_child_nodes(part))
    # The body of a class is no scope for its methods, so what it binds hides nothing in them.
    return loaded if isinstance(node, ast.ClassDef) else loaded - bound | outside
