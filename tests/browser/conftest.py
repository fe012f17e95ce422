"""A tab of a real browser, one for each module of tests; one that draws maps where the module says `WEBGL = True`."""

import sys

import pytest


@pytest.fixture(scope="module")
def browser(request, tmp_path_factory):
    if sys.platform == "win32":
        pytest.skip("the browser is driven through POSIX pipes")
    from tests.browser.devtools import Browser, find_browser

    path = find_browser()
    if path is None:
        pytest.skip("no Chromium was found (SYNTHPOP_GB_BROWSER can name one): the page is not tried in a browser")
    webgl = getattr(request.module, "WEBGL", False)
    tab = Browser(path, tmp_path_factory.mktemp("profile"), webgl=webgl)
    if webgl and not tab.ask("!!document.createElement('canvas').getContext('webgl2')"):
        tab.close()
        pytest.skip("this Chromium has no WebGL, so no map can be drawn in it")
    yield tab
    tab.close()
