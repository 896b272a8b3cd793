"""A headless Chromium, spoken to by the DevTools protocol over two pipes."""

import base64
import json
import os
import shutil
import subprocess
import time


# What the protocol answers when the page a line runs in is replaced meanwhile.
REPLACED = -32000


class Refused(AssertionError):
    """The browser answered with an error."""

    def __init__(self, error):
        super().__init__(error)
        self.code = error.get("code")


class Browser:
    """One page in a window as large as a telephone's."""

    def __init__(self, profile, width=390, height=844, scale=2):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        assert program, "there is no Chromium: install the package chromium, or set FULGURITE_NO_BROWSER"
        # The browser reads descriptor 3 and writes descriptor 4.
        to_read, self.orders = os.pipe()
        self.answers, to_write = os.pipe()

        def place():
            a, b = os.dup(to_read), os.dup(to_write)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
             "--user-data-dir=" + profile, "--remote-debugging-pipe", "about:blank"],
            preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self.read = b""
        self.last_id = 0
        self.session = None
        pages = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        attached = self.call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self.session = attached["sessionId"]
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=True)

    def call(self, method, **params):
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.orders, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.read:
                more = os.read(self.answers, 1 << 20)
                assert more, "the browser has ended"
                self.read += more
            text, _, self.read = self.read.partition(b"\0")
            answer = json.loads(text)
            if answer.get("id") == self.last_id:
                if "error" in answer:
                    raise Refused(answer["error"])
                return answer["result"]

    def evaluate(self, script):
        return self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)

    def run(self, script):
        """What a line of JavaScript gives."""
        result = self.evaluate(script)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def look(self, script):
        """The same while the page may be half there or give way to another: what it gives, and what went wrong."""
        try:
            result = self.evaluate(script)
        except Refused as refused:
            if refused.code != REPLACED:
                raise
            return None, refused
        return result["result"].get("value"), result.get("exceptionDetails")

    def wait_for(self, script, timeout=180):
        """Until a line of JavaScript gives something true."""
        end = time.monotonic() + timeout
        while True:
            value, problem = self.look(script)
            if value and not problem:
                return value
            assert time.monotonic() < end, "still not true in the page: {} ({})".format(script, problem)
            time.sleep(0.05)

    def open(self, url):
        # The page that is there must not pass for the new one.
        self.wait_for("window.isLeft = true")
        went = self.call("Page.navigate", url=url)
        assert "errorText" not in went, went["errorText"]
        self.wait_for("!window.isLeft && document.readyState === 'complete' && location.href !== 'about:blank'")

    def screenshot(self, path):
        picture = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        with open(path, "wb") as f:
            f.write(picture)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.orders)
        os.close(self.answers)
