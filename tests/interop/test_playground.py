"""The playground's page in a browser: nodes, a payment, a node that goes and comes back, and the end."""

import json
import os
import shutil
import signal
import subprocess

from browser import Browser

import pytest

ARTEFACTS = os.environ["INTEROP_ARTEFACTS"]


class Playground:
    """lightning-playground in a process of its own."""

    def __init__(self, directory, *options):
        environment = dict(os.environ, SHELL="/bin/sh")
        environment.pop("BITCOIND", None)
        self.process = subprocess.Popen(
            [shutil.which("lightning-playground"), "--dir", directory, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment,
        )
        self.bin = os.path.join(directory, "bin")
        lines = []
        while not lines or not lines[-1].startswith("or: PATH="):
            line = self.process.stdout.readline()
            assert line, "it ended early:\n" + "".join(lines)
            lines.append(line)
            if line.startswith("Page:"):
                self.url = line.split()[1]

    def run(self, name, *words):
        shown = subprocess.run([os.path.join(self.bin, name), *words], check=True, stdout=subprocess.PIPE, text=True).stdout
        try:
            return json.loads(shown)
        except json.JSONDecodeError:
            return shown

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.communicate()
        return self.process.returncode


@pytest.fixture
def ring(directory):
    playground = Playground(os.path.join(directory, "ring"), "--nodes", "3", "--shape", "ring")
    yield playground
    playground.end()


@pytest.fixture
def browser(directory):
    if "FULGURITE_NO_BROWSER" in os.environ:
        pytest.skip("FULGURITE_NO_BROWSER is set")
    browser = Browser(os.path.join(directory, "browser"), width=1200, height=800, scale=1)
    yield browser
    browser.close()


def seen(words):
    return "document.getElementById('ticker').textContent.includes({})".format(json.dumps(words))


def summary(words):
    return "document.getElementById('sum').textContent.includes({})".format(json.dumps(words))


def test_the_page_shows_what_happens(ring, browser):
    browser.open(ring.url)
    browser.wait_for("document.querySelectorAll('.edge.normal:not(.off)').length === 3")
    assert browser.run("[...document.querySelectorAll('.node')].map(node => node.dataset.node).sort().join()") == "l1,l2,l3"
    browser.screenshot(os.path.join(ARTEFACTS, "playground.png"))
    # Nothing lies outside the window, and nothing came from elsewhere.
    assert browser.run("document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight")
    assert browser.run("performance.getEntriesByType('resource').every(entry => entry.name.startsWith(location.origin))")

    invoice = ring.run("l2", "invoice", "1000000sat", "x", "y")
    ring.run("l1", "pay", invoice["bolt11"])
    browser.wait_for(seen("l1 paid l2 1\u202f000\u202f000 sat"))
    browser.wait_for("[...document.querySelectorAll('.amount')].some(amount => amount.textContent === '4\u202f000\u202f000')")
    height = int(browser.run("document.querySelector('#blocks span').textContent"))
    ring.run("btc", "-generate", "1")
    browser.wait_for("document.querySelector('#blocks span').textContent === '{}'".format(height + 1))

    browser.run("document.querySelector('[data-node=l3]').dispatchEvent(new MouseEvent('click'))")
    browser.wait_for("document.querySelector('#panel h2')?.textContent === 'l3'")
    ring.run("l3", "stop")
    browser.wait_for(seen("l3 is gone"))
    browser.wait_for("document.querySelector('#panel .state').textContent === 'not running'")
    browser.wait_for("document.querySelectorAll('.edge.off').length === 2")
    browser.run("document.getElementById('theme').click()")
    browser.screenshot(os.path.join(ARTEFACTS, "playground-gone.png"))
    ring.run("start", "l3")
    browser.wait_for(seen("l3 is back"))
    browser.wait_for("document.querySelectorAll('.edge.normal:not(.off)').length === 3")

    # The node with the page stops, and comes back.
    ring.run("l1", "stop")
    browser.wait_for("document.body.dataset.live === 'no'")
    ring.run("start", "l1")
    browser.wait_for("document.body.dataset.live === 'yes'")
    browser.wait_for(summary("3 nodes · 3 channels"))
    assert ring.end() == 0
    browser.wait_for("document.body.dataset.live === 'no'")


def test_the_page_fits_on_a_telephone(ring, directory):
    if "FULGURITE_NO_BROWSER" in os.environ:
        pytest.skip("FULGURITE_NO_BROWSER is set")
    browser = Browser(os.path.join(directory, "telephone"))
    try:
        browser.open(ring.url)
        browser.wait_for("document.querySelectorAll('.edge.normal:not(.off)').length === 3")
        browser.screenshot(os.path.join(ARTEFACTS, "playground-telephone.png"))
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    finally:
        browser.close()
