"""A headless Chromium driven over its DevTools pipe with the standard library alone: no driver, no port, no network."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless_shell")


def find_browser():
    """Path of a Chromium, or None. SYNTHPOP_GB_BROWSER names one that lies elsewhere."""
    return os.environ.get("SYNTHPOP_GB_BROWSER") or next((p for p in map(shutil.which, NAMES) if p), None)


class Browser:
    """One tab. Every host is unreachable; what the page logs, throws or asks for is kept."""

    def __init__(self, path, profile, size=(1400, 1200), webgl=False):
        there, self._write = (high(f) for f in os.pipe())
        self._read, back = (high(f) for f in os.pipe())
        options = [
            "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run",
            *(("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader") if webgl else ("--disable-gpu",)),
            "--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking", f"--user-data-dir={profile}",
            f"--window-size={size[0]},{size[1]}", "--hide-scrollbars", "about:blank",
        ]  # fmt: skip

        def wire():  # Chromium reads commands from 3 and answers on 4
            os.dup2(there, 3)
            os.dup2(back, 4)

        self._process = subprocess.Popen(
            [path, *options], preexec_fn=wire, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(there)
        os.close(back)
        self._buffer, self._number, self.events, self._session = b"", 0, [], None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    @property
    def pid(self):
        """Number of the browser's process."""
        return self._process.pid

    def call(self, method, timeout=60.0, **params):
        """Send one command and wait for its answer; events that come before are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params} | (
            {"sessionId": self._session} if self._session else {}
        )
        os.write(self._write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + timeout
        while True:
            answer = self._next(end - time.monotonic())
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _next(self, timeout):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(timeout, 0))
            if not ready:
                raise TimeoutError("the browser did not answer")
            data = os.read(self._read, 1 << 20)
            if not data:
                raise ConnectionError("the browser ended")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(line)

    def open(self, path):
        """Show a file."""
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())

    def ask(self, expression):
        """Value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def wait(self, expression, timeout=60.0):
        """Wait until an expression is true."""
        end = time.monotonic() + timeout
        while not self.ask(expression):
            if time.monotonic() > end:
                raise TimeoutError(f"never true: {expression}; {self.problems()}")
            time.sleep(0.05)

    def point(self, x, y):
        """Move the pointer there."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def drag(self, x, y, to_x):
        """Press at (x, y), move across and let go."""
        self.point(x, y)
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1)
        for step in range(1, 6):
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x + (to_x - x) * step / 5, y=y, button="left")
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=to_x, y=y, button="left", clickCount=1)

    def problems(self):
        """What the page logged as an error, threw, or was refused."""
        said = []
        for event in self.events:
            params = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                said.append(
                    params["exceptionDetails"].get("text", "")
                    + str(params["exceptionDetails"].get("exception", {}).get("description"))
                )
            elif event.get("method") == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                said.append(params["entry"]["text"])
            elif event.get("method") == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                said.append(str(params["args"]))
        return said

    def requests(self):
        """Addresses that the page asked for, apart from itself and what it holds."""
        asked = [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        return [u for u in asked if not u.startswith(("data:", "blob:", "file:"))]

    def files(self):
        """Files that the page asked for."""
        asked = [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        return [u for u in asked if u.startswith("file:")]

    def picture(self, clip=None):
        """PNG of the whole page, or of a part (x, y, width, height)."""
        import base64

        options = {"clip": dict(zip(("x", "y", "width", "height"), clip, strict=True)) | {"scale": 1}} if clip else {}
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True, **options)["data"])

    def close(self):
        """End the browser that was started here."""
        try:
            self._session = None
            self.call("Browser.close", timeout=10)
            self._process.wait(10)
        except (OSError, TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        os.close(self._write)


def high(descriptor):
    """The same descriptor under a number out of the way of 3 and 4."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(descriptor)
    return moved
