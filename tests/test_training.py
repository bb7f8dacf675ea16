"""Tests of the silent start of TensorFlow and of the progress of a training.

What a notebook shows is tested in a real kernel, and the start in a process of its own.
"""

import os
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient


def run_cells(*sources: str) -> list[list[nbformat.NotebookNode]]:
    """Run cells in a fresh kernel and return the outputs of each."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute(stderr=subprocess.DEVNULL)
    return [cell.outputs for cell in notebook.cells]


def stderr_of(code: str) -> str:
    """Run Python code in a process of its own and return what it wrote to stderr."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    ).stderr


@pytest.fixture(scope="module")
def trained() -> list[list[nbformat.NotebookNode]]:
    """Run one notebook with everything in it that these tests look at."""
    return run_cells(
        "import utils.training\n"
        "import keras, numpy as np, tensorflow as tf\n"
        "x = np.linspace(0, 1, 64)[:, np.newaxis]\n"
        "model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])\n"
        "model.compile(optimizer='sgd', loss='mean_squared_error')\n"
        "def fit(epochs, **keywords):\n"
        "    progress = utils.training.Progress()\n"
        "    model.fit(x, 2 * x, epochs=epochs, verbose=0, callbacks=[progress], **keywords)",
        "fit(3, validation_split=0.25)",
        "fit(95)",
        "seen = list(utils.training.progress(['a', 'b', 'c'], 'training'))",
        "print(seen)",
        "for item in utils.training.progress([], 'training'):\n    print(item)",
    )


def text_of(outputs: list[nbformat.NotebookNode]) -> str:
    """Return the text of a cell's only output."""
    (output,) = outputs
    return output.data["text/plain"]


def test_tensorflow_starts_silently(trained):
    assert trained[0] == []


def test_a_start_in_a_plain_process_shows_nothing_but_warnings_and_leaves_onednn_on():
    code = (
        "import os, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tensorflow':\n"
        "            os.write(2, b'2026-01-01 00:00:00.000000: I harmless.cc:1] information\\n')\n"
        "            os.write(2, b'2026-01-01 00:00:00.000000: W real.cc:1] your disk burns\\n')\n"
        "            os.write(2, b'something unknown\\n')\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import utils.training\n"
        "import tensorflow as tf\n"
        "assert os.environ.get('TF_ENABLE_ONEDNN_OPTS') is None\n"
        "tf.linalg.matmul(tf.ones((2, 2)), tf.ones((2, 2)))\n"
        "os.write(2, b'afterwards\\n')\n"
    )
    warnings, unknown, afterwards = stderr_of(code).splitlines()
    assert "your disk burns" in warnings
    assert unknown == "something unknown"
    assert afterwards == "afterwards"


def test_a_tensorflow_that_aborts_still_says_why():
    code = (
        "import os, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tensorflow':\n"
        "            os.write(2, b'2026-01-01 00:00:00.000000: F cpu_feature_guard.cc:1] no AVX here\\n')\n"
        "            os.abort()\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import utils.training\n"
    )
    died = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert died.returncode != 0
    assert died.stderr == "2026-01-01 00:00:00.000000: F cpu_feature_guard.cc:1] no AVX here\n"


def test_the_start_is_heard_where_no_process_can_be_started():
    code = (
        "import os, sys\n"
        "sys.executable = os.devnull\n"
        "import IPython\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'keras':\n"
        "            os.write(2, b'all of it is shown\\n')\n"
        "            os._exit(0)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import utils.training\n"
    )
    assert stderr_of(code) == "all of it is shown\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no interrupt for a group of processes")
def test_an_interrupted_start_loses_nothing_and_complains_in_one_place():
    code = (
        "import os, signal, sys, time\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'keras':\n"
        "            time.sleep(2)\n"  # the helper has to be there
        "            os.write(2, b'something unknown\\n')\n"
        "            os.killpg(0, signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import utils.training\n"
    )
    stopped = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, start_new_session=True
    )
    assert stopped.stderr.startswith("something unknown\n")
    assert stopped.stderr.count("Traceback") == 1


def test_progress_leaves_one_clean_line_an_epoch(trained):
    lines = text_of(trained[1]).splitlines()
    assert [line.split("   ")[0] for line in lines] == ["epoch 1 of 3", "epoch 2 of 3", "epoch 3 of 3"]
    assert all("loss " in line and "val loss " in line for line in lines)
    assert not any(character in text_of(trained[1]) for character in "█░\r\b\x1b")


def test_progress_of_a_long_training_leaves_ten_lines_and_the_last_epoch(trained):
    lines = text_of(trained[2]).splitlines()
    assert len(lines) == 10
    assert lines[-1].startswith("epoch 95 of 95")


def test_progress_over_items_yields_them_all_and_leaves_nothing(trained):
    assert text_of(trained[3]) == ""
    assert trained[4][0].text == "['a', 'b', 'c']\n"
    assert text_of(trained[5]) == ""


def test_progress_outside_a_notebook_prints_nothing(capfd):
    from utils.training import progress

    assert list(progress(range(3), "training")) == [0, 1, 2]
    assert capfd.readouterr().out == ""


def test_progress_never_goes_beyond_the_end_with_several_steps_per_execution(monkeypatch):
    from utils import training

    import keras
    import numpy as np

    shares = []
    monkeypatch.setattr(training, "_bar", lambda done, started: shares.append(done) or "")
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.compile("sgd", "mse", steps_per_execution=8)
    network.fit(np.zeros((20, 1)), np.zeros(20), batch_size=1, verbose=0, callbacks=[training.Progress()])
    assert shares == [8 / 20, 16 / 20, 1.0]


def test_a_data_set_does_not_tune_itself_unless_asked_to():
    from utils import training

    import tensorflow as tf

    options = tf.data.Options()
    options.deterministic = True
    data = tf.data.Dataset.range(3).with_options(options)
    assert data.options().autotune.enabled is False
    options.autotune.enabled = True
    assert tf.data.Dataset.range(3).with_options(options).options().autotune.enabled is True
    training.set_data_autotuning(True)
    try:
        assert tf.data.Options().autotune.enabled is not False
    finally:
        training.set_data_autotuning(False)
    assert tf.data.Options().autotune.enabled is False
