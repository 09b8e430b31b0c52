"""Headless Chromium through chromedriver: the WebDriver protocol over HTTP, as far as the tests of the page need it."""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

import support

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
CONTROL, ENTER = "\ue009", "\ue007"


class Browser:
    """A browser of its own with one window; a context manager."""

    def __init__(self):
        self.driver = shutil.which("chromedriver")
        self.chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not self.driver or not self.chromium:
            support.skip("no chromium and chromium-driver (make deps-test)")
        self.folder = tempfile.mkdtemp(prefix="browser-", dir=os.environ.get("TEST_TMP"))
        self.process = self.session = self.url = None

    def __enter__(self):
        log = os.path.join(self.folder, "driver.out")
        with open(log, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen([self.driver, "--port=0"], stdout=out, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, env={**os.environ, "HOME": self.folder})
        port = []

        def told():
            with open(log, encoding="utf-8") as text:
                port[:] = re.findall(r"successfully on port (\d+)", text.read())
            return port or self.process.poll() is not None
        support.wait_for(told, 60, "chromedriver tells its port")
        if not port:
            self.process = None
            support.skip("chromedriver does not start here")
        self.url = f"http://127.0.0.1:{port[0]}"
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--no-proxy-server", "--hide-scrollbars",
                     f"--user-data-dir={self.folder}/profile"]
        try:
            self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {"binary": self.chromium, "args": arguments},
                "goog:loggingPrefs": {"browser": "ALL"}}}}, timeout=120)["sessionId"]
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.session:
                self.call("DELETE", f"/session/{self.session}")
        finally:
            if self.process:
                self.process.terminate()
                self.process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, path, body=None, timeout=60):
        """One command; its value."""
        request = urllib.request.Request(self.url + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=timeout) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"WebDriver {path}: {error.read().decode()[:1000]}") from error

    def do(self, path, body=None):
        """A command of the session that changes something."""
        return self.call("POST", f"/session/{self.session}{path}", {} if body is None else body)

    def open(self, url):
        """Goes there and waits until it is loaded."""
        self.do("/url", {"url": url})

    def script(self, text, *arguments):
        """What a piece of script returns."""
        return self.do("/execute/sync", {"script": text, "args": list(arguments)})

    def cdp(self, command, **parameters):
        """A command of Chromium's own protocol."""
        return self.do("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def element(self, css):
        """The first element."""
        return self.do("/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        """As a person does: it must be seen and not covered."""
        self.do(f"/element/{self.element(css)}/click")

    def type(self, css, text):
        """Keys for an element."""
        self.do(f"/element/{self.element(css)}/value", {"text": text})

    def clear(self, css):
        """Empties a field."""
        self.do(f"/element/{self.element(css)}/clear")

    def text(self, css):
        """What can be read there, "" when it is not there."""
        return self.script("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def texts(self, css):
        """The same of all."""
        return self.script("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", css)

    def is_shown(self, css):
        """Whether it has a place on the page."""
        return self.script("const e = document.querySelector(arguments[0]); return !!e && e.getClientRects().length > 0", css)

    def wait(self, condition, what):
        """Polls; the text of the page is the error."""
        try:
            support.wait_for(condition, 10, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; the page:\n{self.text('body')[:3000]}") from error

    def window(self, width, height, dark=False):
        """Size of the window in pixels, and what the person prefers."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=width < 500)
        self.cdp("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def picture(self, path, whole=True):
        """A PNG of the page, beyond the window too."""
        shot = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def complaints(self):
        """Errors and warnings of the console since the last call."""
        log = self.call("POST", f"/session/{self.session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] in ("SEVERE", "WARNING")]
