"""The folder that the handouts go to, in which nothing is touched that they did not put there.

A list in it, `handouts.json`, names each file that was written, with its SHA-256 and whose handout it is. A
file that is not on the list, or that has another hash by now, belongs to somebody else.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handouts.cells import HandoutError

LIST = "handouts.json"
COLLECTION = "collection"

Entries = dict[str, dict[str, Any]]  # path in the folder → whose handout (`of`), and the hashes it may have


def install(fresh: Path, out: Path, owners: Mapping[str, str]) -> list[str]:
    """Move what was made into the folder of handouts, and remove what an earlier run made in its place.

    Files are replaced one by one, each at once and whole. The list is written before the first and after
    the last of them, so that a run that was interrupted is followed by one that knows its files.

    Args:
        fresh: A folder with everything that was made, as it shall lie in `out`.
        out: The folder of handouts, which is made where it does not exist.
        owners: For each file in `fresh`, whose handout it is: the name of a notebook, or `COLLECTION`.

    Returns:
        Files of an earlier run that are no longer made but were kept, since somebody changed them.

    Raises:
        HandoutError: If something is in the way. Then nothing was changed.
    """
    known = _read(out)
    made = {name: _hash(fresh / name) for name in owners}
    _expect_room(out, made, known)
    entries: Entries = dict(known)
    for name, own in made.items():
        before = known.get(name, {"of": owners[name], "sha256": []})
        of = COLLECTION if COLLECTION in (before["of"], owners[name]) else owners[name]
        entries[name] = {"of": of, "sha256": [*before["sha256"], own]}
    folders = {name.split("/")[0] for name in made}
    stale = [
        name
        for name, entry in known.items()
        if name not in made and entry["of"] in owners.values() and name.split("/")[0] in folders
    ]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".handouts-") as scratch:

            def put(source: Path, name: str) -> None:
                (out / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(source, Path(scratch) / "file")
                (Path(scratch) / "file").replace(out / name)

            def put_list() -> None:
                text = json.dumps(entries, indent=1, sort_keys=True) + "\n"
                (Path(scratch) / "list").write_text(text, encoding="utf-8")
                (Path(scratch) / "list").replace(out / LIST)

            put_list()
            for name, own in made.items():
                put(fresh / name, name)
                entries[name]["sha256"] = [own]
            changed = []
            for name in stale:
                if (out / name).exists() and not _is_listed(out / name, entries[name]):
                    changed.append(name)
                else:
                    (out / name).unlink(missing_ok=True)
                del entries[name]
            put_list()
    except OSError as error:
        raise HandoutError(
            f"{error.filename or out} cannot be written: {error.strerror}. Is it open in another program, or "
            "the disk full? Every file is still there, old or new; run the same command again."
        ) from None
    return changed


def _read(out: Path) -> Entries:
    """Return the list of a folder, empty where there is none."""
    try:
        entries = json.loads((out / LIST).read_text(encoding="utf-8"))
        return {name: {"of": entry["of"], "sha256": entry["sha256"]} for name, entry in entries.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, AttributeError, KeyError, TypeError):
        raise HandoutError(
            f"{out / LIST} is no list of handouts, or damaged, so nobody can tell which files there are "
            "handouts. Move the folder elsewhere, or choose another by --out."
        ) from None


def _expect_room(out: Path, made: Mapping[str, str], known: Entries) -> None:
    """See that nothing that the handouts did not make lies where they shall go."""
    in_the_way = set()
    for name, own in made.items():
        file = out / name
        for folder in (out, file.parent):
            if folder.exists() and not folder.is_dir():
                in_the_way.add(str(folder))
        if file.is_dir() or (
            file.is_file() and _hash(file) != own and not _is_listed(file, known.get(name, {"sha256": []}))
        ):
            in_the_way.add(str(file))
    if in_the_way:
        some = sorted(in_the_way)
        more = f" and {len(some) - 3} more" if len(some) > 3 else ""
        raise HandoutError(
            f"In the way: {', '.join(some[:3])}{more}. The handouts did not make this, or somebody changed "
            "it since. Move it elsewhere, or choose another folder by --out. Nothing was written."
        )


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _is_listed(file: Path, entry: Mapping[str, Any]) -> bool:
    """Return whether a file is still as an earlier run wrote it."""
    return _hash(file) in entry["sha256"]
