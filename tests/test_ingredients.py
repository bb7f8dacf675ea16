"""What notebook 03 says about the ingredients of its recipe is what was measured."""

import ast
import re

from benchmarks import contenders, ingredients
from benchmarks.ingredients import HEADING, PAGE, SEEDS, VARIANTS


def rows(text):
    """Return name → errors of the rows of a table that `ingredients.table` has written."""
    found = {}
    for name, cells in re.findall(r"^\| ([^|]*[a-z0-9]) \| (.+) \|$", text, re.M):
        *errors, mean = map(float, cells.split(" | "))
        assert abs(mean - sum(errors) / len(errors)) < 0.0051
        found[name] = errors
    return found


def test_the_table_has_a_row_for_each_variant_and_its_mean():
    errors = {name: [1.0 + k / 10 for k in range(len(SEEDS))] for name in VARIANTS}
    assert rows(ingredients.table(errors)) == errors


def test_the_notebook_has_the_numbers_of_the_page():
    section = PAGE.read_text(encoding="utf-8").partition(f"## {HEADING}\n")[2].partition("\n## ")[0]
    measured = rows(section)
    assert list(measured) == list(VARIANTS)
    _, defined = contenders.top_level(contenders.notebook_of("mnist"))
    assert ast.literal_eval(defined["FIVE_SEEDS"].value) == measured


def test_every_variant_changes_an_argument_of_the_recipe():
    source = contenders.source_of("mnist", "train_recipe")
    arguments = {
        argument.arg
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef) and function.name in ("train_recipe", "build_recipe")
        for argument in function.args.args
    }
    assert {name for options in VARIANTS.values() for name in options} <= arguments
