"""The notebooks in JupyterLab in a real browser: every cell runs, and every control changes what is shown.

A plain `pytest` leaves this out; `make test-browser` runs it. Screenshots go to build/browser: the top of
each notebook after it has run, and the control that was touched last. Then the page of the service is drawn
on. At the end, small notebooks that are broken on purpose put the test itself to the test.
"""

import contextlib
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import psutil
import pytest
from playwright import sync_api as playwright

from tools import collection

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]

SCREENSHOTS = collection.ROOT / "build" / "browser"
TOKEN = "in-a-test"
PATIENCE = 30.0  # seconds until a control must have appeared, and what it shows must have changed
NO_BROWSER = (
    "There is no Chromium: install it, on Debian by “sudo apt-get install chromium”, elsewhere by "
    "“.venv/bin/playwright install chromium”, or name one in the environment variable CHROMIUM."
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
# The notebook that is in front, as JupyterLab's own code sees it.
CONTENT = "window.jupyterapp.shell.currentWidget.content"
SESSION = "window.jupyterapp.shell.currentWidget.sessionContext"
IS_OPEN = f"window.jupyterapp && window.jupyterapp.shell.currentWidget && {CONTENT} && {CONTENT}.widgets"
IS_IDLE = f"{SESSION}.session?.kernel?.status === 'idle'"
# JupyterLab draws only the cells that are on the screen, unless told.
DRAW_ALL = f"() => {{ {CONTENT}.notebookConfig = {{...{CONTENT}.notebookConfig, windowingMode: 'none'}} }}"
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
TO_THE_TOP = "() => document.querySelectorAll('.jp-WindowedPanel-outer').forEach(it => { it.scrollTop = 0 })"
CELLS = f"""() => {CONTENT}.widgets.map((cell, index) => ({{model: cell.model, index}}))
    .filter(({{model}}) => model.type === 'code').map(({{model, index}}) => ({{
        index,
        source: model.sharedModel.source,
        count: model.executionCount,
        errors: model.sharedModel.outputs.filter(output => output.output_type === 'error')
            .map(output => `${{output.ename}}: ${{output.evalue}}`),
    }}))"""
CELL = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook-cell"
# The widgets under one another in the box that ipywidgets.interact makes, and what can be touched in them.
ROWS = ":scope > .jupyter-widgets:not(.widget-output)"
LABELS = ".widget-label, .widget-label-basic"
TOUCHABLE = ".noUi-handle, select, input[type=text], textarea"
COMPLAINTS = (
    "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr']"
)


# ------------------------------------------------------------------------------------ the server, the browser


class Lab(NamedTuple):
    """A JupyterLab that is running: its address, and the folder that it shows."""

    address: str
    folder: Path


def children() -> set[psutil.Process]:
    """Return all processes that this one has started and that still run."""
    return {child for child in psutil.Process().children(recursive=True) if is_running(child)}


def is_running(process: psutil.Process) -> bool:
    """Tell whether a process is neither gone nor about to go."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module", autouse=True)
def remember() -> Iterator[Callable[[], None]]:
    """See that no server, kernel or browser outlives the tests.

    A kernel without its server is nobody's child, so who is about to end a server or a browser calls the
    function that this yields, which remembers everything that runs at that moment.
    """
    before, seen = children(), set()
    # Told to end, as by a time-out, these tests tidy up as after Ctrl-C.
    usual = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield lambda: seen.update(children() - before)
    signal.signal(signal.SIGTERM, usual)
    _, alive = psutil.wait_procs(seen | (children() - before), timeout=15)
    alive = [child for child in alive if is_running(child)]
    for child in alive:
        child.kill()
    assert not alive, f"they outlived the tests, and were killed now: {alive}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory, remember) -> Iterator[Lab]:
    """Start JupyterLab on a free port over an empty folder, apart from the user's own settings."""
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0", "--ip=127.0.0.1"]
    command += ["--LabApp.expose_app_in_browser=True", str(folder)]
    own = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment = {**os.environ, **own, "IPYTHONDIR": str(home / "ipython"), "TUTORIAL_DATA": "sample"}
    log = home / "server.log"
    with log.open("w") as output:
        # In a session of its own, where Ctrl-C does not reach it: it is ended below, and ends its kernels.
        server = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{address}/api", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, f"JupyterLab did not start:\n{log.read_text()}"
                assert time.monotonic() < deadline, f"JupyterLab is silent for a minute:\n{log.read_text()}"
                time.sleep(0.2)
        yield Lab(address, folder)
    finally:
        remember()
        server.terminate()
        try:
            server.wait(timeout=15)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="module")
def browser(remember) -> Iterator["playwright.BrowserContext"]:
    """Start a browser without a window; all pages share its cache, so that JupyterLab is loaded once."""
    with playwright.sync_playwright() as driver:
        own = driver.chromium.executable_path
        named = os.environ.get("CHROMIUM")
        found = next(filter(None, map(shutil.which, [named] if named else [own, *NAMES])), None)
        if named and not found:
            pytest.exit(f"CHROMIUM names {named}, and there is no such program.", returncode=1)
        try:
            # On macOS and Windows a Chrome is on no path, but where Playwright looks for that channel.
            channel = None if found else "chrome"
            running = driver.chromium.launch(executable_path=found, channel=channel, args=QUIET)
        except playwright.Error:
            if found:
                raise
            pytest.exit(NO_BROWSER, returncode=1)
        yield running.new_context(viewport={"width": 1300, "height": 1000})
        remember()
        running.close()


@contextlib.contextmanager
def opened(
    notebook: nbformat.NotebookNode, name: str, lab: Lab, browser: "playwright.BrowserContext"
) -> Iterator["playwright.Page"]:
    """Open a notebook without its outputs, so that no old one passes for new, and run all of its cells."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, lab.folder / f"{name}.ipynb")
    page = browser.new_page()
    try:
        address = f"{lab.address}/lab/tree/{name}.ipynb?token={TOKEN}&reset"
        page.goto(address, wait_until="domcontentloaded")
        try:
            page.wait_for_function(IS_OPEN, timeout=90_000)
            page.wait_for_function(IS_IDLE, timeout=90_000)
        except playwright.TimeoutError:
            see_no_dialog(page)
            raise
        page.evaluate(DRAW_ALL)
        page.evaluate(RUN_ALL)  # returns when the last cell is done
        yield page
    finally:
        with contextlib.suppress(playwright.Error):  # after Ctrl-C, the browser is gone
            page.evaluate(f"() => {SESSION}.shutdown()")
            page.close()


# ----------------------------------------------------------------------------------------------- what is seen


def see_every_cell(page: "playwright.Page") -> None:
    """See that every cell has run, and none with an error."""
    cells = page.evaluate(CELLS)
    assert cells, "there is no cell"
    for cell in cells:
        assert not cell["errors"], f"{cell['errors'][0]} {place(cell)}"
        assert cell["count"], f"nothing was run {place(cell)}"
    see_no_dialog(page)


def see_no_dialog(page: "playwright.Page") -> None:
    """See that JupyterLab has no question or message to click away."""
    dialog = page.locator(".jp-Dialog")
    assert not dialog.count(), f"JupyterLab says:\n{dialog.first.inner_text()}"


def see_every_control(page: "playwright.Page") -> None:
    """Touch every slider, list and box that ipywidgets.interact has made, and see its picture change."""
    cells = [cell for cell in page.evaluate(CELLS) if "ipywidgets.interact" in cell["source"]]
    assert cells, "there is nothing to touch: no cell calls ipywidgets.interact"
    for cell in cells:
        group = page.locator(CELL).nth(cell["index"]).locator(".widget-interact")
        with contextlib.suppress(playwright.TimeoutError):
            group.wait_for(timeout=1000 * PATIENCE)
        assert group.count(), f"no control has appeared {place(cell)}"
        group.scroll_into_view_if_needed()
        for row in group.locator(ROWS).all():
            label = "".join(row.locator(LABELS).all_inner_texts()).strip("\u200b")
            control = row.locator(TOUCHABLE)
            assert control.count() == 1, f"this test does not know how to touch “{label}” {place(cell)}"
            before = after = settled(page, group)
            touch(control)
            deadline = time.monotonic() + PATIENCE
            while after == before and time.monotonic() < deadline:
                after = settled(page, group)
            complaints = group.locator(COMPLAINTS).all_inner_texts()
            assert not complaints, f"{complaints[0]}\nwhen “{label}” was touched {place(cell)}"
            assert after != before, f"“{label}” changes nothing {place(cell)}"


def see_everything(page: "playwright.Page") -> None:
    """See that every cell has run and every control works."""
    see_every_cell(page)
    see_every_control(page)


def place(cell: dict[str, Any]) -> str:
    """Say which cell it is, counted from 1 and with the text cells, as in a list of cells."""
    return f"in cell {cell['index'] + 1}:\n{cell['source']}"


def settled(page: "playwright.Page", group: "playwright.Locator") -> str:
    """Wait until the kernel has nothing to do and what is under some controls stays; return what it is."""
    last, now = None, shown(group)
    while now != last:
        page.wait_for_timeout(250)
        page.wait_for_function(IS_IDLE, timeout=60_000)
        last, now = now, shown(group)
    return now


def shown(group: "playwright.Locator") -> str:
    """Return what the output under some controls shows: its pictures and its text."""
    area = group.locator(".jp-OutputArea").first
    return area.evaluate("it => [...it.querySelectorAll('img')].map(img => img.src).join() + it.innerText")


def touch(control: "playwright.Locator") -> None:
    """Move a slider, choose from a list, or type into a box, as a reader would."""
    kind = control.evaluate("it => it.tagName.toLowerCase()")
    if kind == "select":
        chosen = control.evaluate("it => it.selectedIndex")
        control.select_option(index=(chosen + 1) % control.evaluate("it => it.options.length"))
    elif kind in ("input", "textarea"):
        control.fill("not a good film , zzyzx")
        control.press("Enter")
    else:
        value = control.get_attribute("aria-valuetext")  # aria-valuenow is rounded
        control.focus()
        control.press("ArrowRight")
        if control.get_attribute("aria-valuetext") == value:  # it stood at its right end
            control.press("ArrowLeft")


# ---------------------------------------------------------------------------------------------- the notebooks


@pytest.fixture(params=collection.notebooks(), ids=lambda path: path.stem, scope="module")
def page(request, browser, lab) -> Iterator["playwright.Page"]:
    """Open a notebook, run all of its cells, and take a picture before and after it was touched."""
    name = request.param.stem
    with opened(collection.read(request.param), name, lab, browser) as page:
        page.wait_for_timeout(1000)
        page.evaluate(TO_THE_TOP)
        page.wait_for_timeout(500)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")
        yield page
        with contextlib.suppress(playwright.Error):
            page.screenshot(path=SCREENSHOTS / f"{name}_controls.png")


def test_every_cell_runs_without_an_error(page):
    see_every_cell(page)


def test_every_control_changes_what_is_shown(page, request):
    notebook = collection.read(request.node.callspec.params["page"])
    if not any("ipywidgets.interact" in cell.source for cell in notebook.cells):
        pytest.skip("it has no control, and its manifest names none, which the tests of the handouts compare")
    see_every_control(page)


# -------------------------------------------------------------------------------------- the service's page

# What is drawn: lines through points of the canvas, of 280 by 280 pixels.
ROUND = [(140 + 60 * math.cos(k * math.pi / 12), 140 + 90 * math.sin(k * math.pi / 12)) for k in range(25)]
STROKES = {0: ROUND, 1: [(140, 50), (140, 230)], 7: [(70, 60), (210, 60), (130, 230)]}
SCREENS = {"service": (820, 480), "service_phone": (360, 740)}


@pytest.fixture(scope="module")
def service(remember, tmp_path_factory) -> Iterator[str]:
    """Serve the digit reader, trained on the sample, and return its address."""
    own = {"TUTORIAL_DATA": "sample", "TUTORIAL_DATA_DIR": str(tmp_path_factory.mktemp("service"))}
    command = [sys.executable, "-m", "service", "--port", "0"]
    server = subprocess.Popen(
        command, cwd=collection.ROOT, env={**os.environ, **own}, stdout=subprocess.PIPE, text=True
    )
    try:
        yield next(line.split()[4] for line in server.stdout if line.startswith("The service is at "))
    finally:
        remember()
        server.terminate()
        server.wait(timeout=15)


@pytest.mark.parametrize("name", SCREENS)
def test_the_page_reads_what_is_drawn_and_asks_nobody_else(name, service, browser):
    page = browser.new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append((message.type, message.text)))
    page.on("pageerror", lambda error: complaints.append(("error", str(error))))
    try:
        width, height = SCREENS[name]
        page.set_viewport_size({"width": width, "height": height})
        page.goto(service)
        for digit, points in STROKES.items():
            page.get_by_role("button", name="Clear").click()
            draw(page, points)
            page.wait_for_timeout(500)  # the last question is asked when the pen is up
            assert page.locator("#message").inner_text().startswith("Answered in")
            assert page.locator("li.best span").first.inner_text() == str(digit)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.screenshot(path=SCREENSHOTS / f"{name}.png")
    finally:
        page.close()
    assert {*asked} <= {f"{service}{path}" for path in ("/", "/v2/models/digits/infer", "/favicon.ico")}
    assert not [text for kind, text in complaints if kind in ("error", "warning")]


def draw(page: "playwright.Page", points: list[tuple[float, float]]) -> None:
    """Draw a line through points of the canvas."""
    box = page.locator("#drawing").bounding_box()
    places = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


# ---------------------------------------------------------------------------------- notebooks that are broken

DRAW = """import ipywidgets
import matplotlib.pyplot as plt


def draw(height):
    plt.plot([0, height])
    plt.show()


"""
TOUCH = DRAW + "controls = ipywidgets.interact(draw, height=(1, 9))"
BROKEN = {
    "a cell raises": ("1 / 0", r"ZeroDivisionError: division by zero in cell 2:\s+1 / 0"),
    "the kernel dies": ("import os\n\nos._exit(1)", r"nothing was run in cell 2:\s+import os"),
    "no controls": ("1 + 1", r"there is nothing to touch"),
    "controls are never displayed": (
        TOUCH.replace("interact(", "interactive("),
        r"no control has appeared in cell 2:\s+import ipywidgets",
    ),
    "the picture is always the same": (
        TOUCH.replace("[0, height]", "[0, 1]"),
        r"“height” changes nothing in cell 2:\s+import ipywidgets",
    ),
    "an error when it is touched": (
        TOUCH.replace("[0, height]", "[0, 1 / (height - 6)]"),  # it stands at 5
        r"(?s)ZeroDivisionError.*when “height” was touched in cell 2:\s+import ipywidgets",
    ),
    "a control of an unknown kind": (
        TOUCH.replace("(1, 9)", "False"),
        r"does not know how to touch “height” in cell 2:\s+import ipywidgets",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_notebook_is_noticed(name, browser, lab, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PATIENCE", 3.0)
    source, complaint = BROKEN[name]
    cells = [nbformat.v4.new_markdown_cell("# Broken"), nbformat.v4.new_code_cell(source)]
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    with opened(notebook, "broken", lab, browser) as page, pytest.raises(AssertionError, match=complaint):
        see_everything(page)
