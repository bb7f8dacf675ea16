"""Which notebooks have passed on the full data, as they are now?

A run on the full data takes minutes a notebook. `tests/full_data.json` records for each the fingerprint of
what passed last: its cells, what is compared of their outputs, every module of this repository that it
imports, and the locked versions. As long as the fingerprint stays, so does the answer.
"""

import json
from pathlib import Path

from tools import collection, mistakes

RECORD = collection.ROOT / "tests" / "full_data.json"


def fingerprint(path: Path) -> str:
    """Return a number that changes with anything on which a run of a notebook on the full data depends.

    Args:
        path: The notebook.
    """
    cells = [cell for cell in collection.read(path).cells if cell.cell_type == "code"]
    return mistakes.fingerprint_of(cells, full=True)


def read_record() -> dict[str, str]:
    """Return what is known: notebook → fingerprint of what has passed."""
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}


def write_record(record: dict[str, str]) -> None:
    """Write what is known, of the notebooks that there are.

    Args:
        record: As `read_record` returns it.
    """
    there = {path.stem for path in collection.notebooks()}
    record = {name: value for name, value in record.items() if name in there}
    text = json.dumps(record, indent=1, sort_keys=True) + "\n"
    RECORD.write_text(text, encoding="utf-8", newline="\n")


def has_passed(path: Path) -> bool:
    """Tell whether a notebook has passed on the full data, and nothing has changed on which that depends.

    Args:
        path: The notebook.
    """
    return read_record().get(path.stem) == fingerprint(path)
