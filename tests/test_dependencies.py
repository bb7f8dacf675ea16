"""Which cells depend on which is read from their code."""

import pytest

from tools import dependencies
from tools.dependencies import names_of


@pytest.mark.parametrize(
    ("source", "needed", "later", "given", "changed"),
    [
        ("a = b", "b", "", "a", ""),
        ("a = a + 1", "a", "", "a", ""),
        ("a += 1", "a", "", "a", ""),
        ("a = 1\nb = a", "", "", "a b", ""),
        ("a[0] = b", "a b", "", "", "a"),
        ("a.b.c = 1", "a", "", "", "a"),
        ("a = []\na.append(1)", "", "", "a", ""),
        ("a.append(b)", "a b", "", "", "a"),
        ("history = a.fit(b)", "a b", "", "history", "a"),
        ("c = a.mean()", "a", "", "c", ""),
        ("for a, b in c:\n    d = a", "c", "", "a b d", ""),
        ("if a:\n    b = c = 1\nelse:\n    b = 2", "a", "", "b", "c"),
        ("while a:\n    b = 1", "a", "", "", "b"),
        ("try:\n    a = 1\nexcept E:\n    pass", "", "", "", "a"),
        ("with a as b:\n    c = b", "a", "", "b c", ""),
        ("b = [a * x for x in y if x]", "a y", "", "b", ""),
        ("x = 1\nb = [x for k in y]", "y", "", "x b", ""),
        ("def f(a, b=c):\n    d = a + e\n    return d", "c", "e", "f", ""),
        ("def f():\n    def g(x):\n        return x + y\n    return g", "", "y", "f", ""),
        ("f = lambda x: x + y", "", "y", "f", ""),
        ("a = [lambda x, k=k: x + y for k in z]", "y z", "", "a", ""),
        ("class A(B):\n    x = c\n    def f(self):\n        return d", "B", "c d", "A", ""),
        ("import a.b\nfrom c import d as e", "", "", "a e", ""),
        ("print((a := b))", "b print", "", "a", ""),
        ('print(f"{a:.{b}f}")', "a b print", "", "", ""),
    ],
)
def test_names(source, needed, later, given, changed):
    names = names_of(source)
    assert names.needed == set(needed.split())
    assert names.later == set(later.split())
    assert names.given == set(given.split())
    assert names.changed == set(changed.split())


def sources(*cells: str) -> list[set[int]]:
    """Return what `sources_of` says of cells."""
    return dependencies.sources_of([names_of(cell) for cell in cells])


def test_a_cell_needs_whoever_gave_a_name_last():
    assert sources("a = 1", "a = 2", "b = a") == [set(), set(), {1}]


def test_a_cell_needs_whoever_changed_an_object_since():
    assert sources("a = []", "a.append(1)", "b = a", "a = 1", "c = a") == [set(), {0}, {0, 1}, set(), {3}]


def test_a_cell_needs_what_the_functions_need_that_it_calls():
    assert sources("k = 1", "def f():\n    return k", "k = 2", "def g():\n    return f()", "g()")[4] == {
        1,
        2,
        3,
    }


def test_calling_a_module_does_not_change_it():
    assert sources("import plots", "plots.show(1)", "plots.show(2)") == [set(), {0}, {0}]


def test_what_a_cell_needs_and_what_it_reaches():
    found = sources("a = 1", "b = 2", "c = a", "d = b", "e = c")
    assert dependencies.with_sources([4], found) == {0, 2, 4}
    assert dependencies.reached_from(0, found) == {2, 4}
    assert dependencies.reached_from(4, found) == set()


@pytest.mark.parametrize(
    ("source", "others", "left"),
    [
        ("import numpy as np\nx = 1", ["print(x)"], "x = 1"),
        ("import a, b as c\nc.set(1)", ["c.get()"], "import b as c\nc.set(1)"),
        ("from utils.training import progress\nimport keras", ["keras.ops"], None),
        ("from utils.training import progress\nimport keras\nkeras.set(1)", ["1"], ""),
        ("x = np.ones(3)", ["1"], None),
    ],
)
def test_imports_stay_where_they_are_needed(source, others, left):
    assert dependencies.without_unused_imports(source, [source, *others]) == (
        source if left is None else left
    )
