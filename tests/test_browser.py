"""The notebooks in JupyterLab in a real browser: every cell runs, and every slider changes its picture.

A plain `pytest` leaves this out; `make test-browser` runs it. Screenshots go to build/browser.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright import sync_api as playwright

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SCREENSHOTS = ROOT / "build" / "browser"
TOKEN = "in-a-test"
NO_BROWSER = (
    "There is no Chromium. Install it, on Debian and Ubuntu by “sudo apt-get install chromium”, elsewhere by "
    "“.venv/bin/playwright install chromium”, or name one in the environment variable CHROMIUM."
)
QUIET = ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
# The notebook that is in front, as JupyterLab's own code sees it.
CONTENT = "window.jupyterapp.shell.currentWidget.content"
SESSION = "window.jupyterapp.shell.currentWidget.sessionContext"
IS_OPEN = f"window.jupyterapp && window.jupyterapp.shell.currentWidget && {CONTENT} && {CONTENT}.widgets"
# JupyterLab draws only the cells that are on the screen, unless told.
DRAW_ALL = f"() => {{ {CONTENT}.notebookConfig = {{...{CONTENT}.notebookConfig, windowingMode: 'none'}} }}"
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
CELLS = f"""() => {CONTENT}.widgets.map(cell => cell.model).filter(it => it.type === 'code').map(model => ({{
    source: model.sharedModel.source,
    count: model.executionCount,
    errors: model.sharedModel.outputs.filter(output => output.output_type === 'error')
        .map(output => `${{output.ename}}: ${{output.evalue}}`),
}}))"""


def children() -> set[psutil.Process]:
    """Return all processes that this one has started and that still run."""
    return {child for child in psutil.Process().children(recursive=True) if child.status() != "zombie"}


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    """See that no server, kernel or browser outlives the tests."""
    before = children()
    yield
    _, alive = psutil.wait_procs(children() - before, timeout=15)
    assert not alive, f"still running: {[child.name() for child in alive]}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory, nothing_is_left_running) -> Iterator[str]:
    """Start JupyterLab on a free port over copies of the notebooks; yield its address."""
    folder = tmp_path_factory.mktemp("lab")
    for path in NOTEBOOKS:
        shutil.copy(path, folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0", "--ip=127.0.0.1"]
    command += ["--LabApp.expose_app_in_browser=True", str(folder)]
    environment = {**os.environ, "TUTORIAL_DATA": "sample", "JUPYTER_RUNTIME_DIR": str(folder / ".runtime")}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{address}/api", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                log_so_far = (folder / "server.log").read_text()
                assert server.poll() is None, f"JupyterLab did not start:\n{log_so_far}"
                assert time.monotonic() < deadline, f"JupyterLab did not answer in a minute:\n{log_so_far}"
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()  # it ends its kernels, too
        try:
            server.wait(timeout=15)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="module")
def browser(nothing_is_left_running) -> Iterator["playwright.Browser"]:
    """Start a browser without a window."""
    with playwright.sync_playwright() as driver:
        own = Path(driver.chromium.executable_path)
        names = ("chromium", "chromium-browser", "google-chrome", "chrome")
        found = os.environ.get("CHROMIUM") or (str(own) if own.exists() else None)
        found = found or next(filter(None, map(shutil.which, names)), None)
        if found is None:
            pytest.fail(NO_BROWSER, pytrace=False)
        arguments = [*QUIET, "--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else QUIET
        running = driver.chromium.launch(executable_path=found, args=arguments)
        yield running
        running.close()


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem, scope="module")
def page(request, lab, browser) -> Iterator["playwright.Page"]:
    """Open a notebook and run all of its cells."""
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.goto(f"{lab}/lab/tree/{request.param.name}?token={TOKEN}&reset", wait_until="domcontentloaded")
    page.wait_for_function(IS_OPEN, timeout=90_000)
    page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
    )
    page.evaluate(DRAW_ALL)
    page.evaluate(RUN_ALL)  # returns when the last cell is done
    page.wait_for_timeout(1000)
    page.evaluate(
        "() => document.querySelectorAll('.jp-WindowedPanel-outer').forEach(it => { it.scrollTop = 0 })"
    )
    page.wait_for_timeout(500)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{request.param.stem}.png")
    yield page
    page.evaluate(f"() => {SESSION}.shutdown()")
    page.close()


def test_every_cell_runs_without_an_error(page):
    cells = page.evaluate(CELLS)
    assert cells
    for cell in cells:
        assert not cell["errors"], f"{cell['errors']} in the cell\n{cell['source']}"
        assert cell["count"], f"not run:\n{cell['source']}"


def test_every_control_changes_what_is_shown(page):
    outputs = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell .widget-interact")
    assert outputs.count() >= 1, "there is nothing to touch"
    for k in range(outputs.count()):
        group = outputs.nth(k)
        group.scroll_into_view_if_needed()
        for control in group.locator(".noUi-handle, select, input[type=text], textarea").all():
            before = shown(group)
            touch(control)
            deadline = time.monotonic() + 30
            while shown(group) == before:
                assert time.monotonic() < deadline, (
                    f"nothing changed:\n{control.evaluate('it => it.outerHTML')}"
                )
                page.wait_for_timeout(200)


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
        value = control.get_attribute("aria-valuenow")
        control.focus()
        control.press("ArrowRight")
        if control.get_attribute("aria-valuenow") == value:  # it stood at its right end
            control.press("ArrowLeft")
