"""Kinds of processor, and where the results of each are kept.

oneDNN, which computes TensorFlow's matrix products and convolutions on x86, uses the widest vectors that the
processor has, unless `ONEDNN_MAX_CPU_ISA` says otherwise. Times differ so much between the two widths that
results of one kind never stand for the other.
"""

import os
import platform
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
KINDS = {"avx512": "AVX-512", "avx2": "AVX2 only", "arm": "ARM"}
SWITCH = "ONEDNN_MAX_CPU_ISA"


def is_switched() -> bool:
    """Return whether the environment asks oneDNN for AVX2 at most."""
    return os.environ.get(SWITCH, "").upper() == "AVX2"


def here() -> str:
    """Return the kind of this machine's processor, a key of `KINDS`, as oneDNN may use it."""
    from numpy._core._multiarray_umath import __cpu_features__ as features  # what np.show_runtime() prints

    if platform.machine().lower() in ("arm64", "aarch64"):
        return "arm"
    return "avx512" if features.get("AVX512F") and not is_switched() else "avx2"


def path(kind: str) -> Path:
    """Return the path of the results of a kind of processor, which may not be there."""
    return RESULTS / f"{kind}.json"


def measured() -> list[str]:
    """Return the kinds for which there are results."""
    return [kind for kind in KINDS if path(kind).exists()]
