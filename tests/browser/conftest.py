"""A tab of a real browser, one for each module of tests."""

import sys

import pytest


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if sys.platform == "win32":
        pytest.skip("the browser is driven through POSIX pipes")
    from tests.browser.devtools import Browser, find_browser

    path = find_browser()
    if path is None:
        pytest.skip("no Chromium was found (SYNTHPOP_GB_BROWSER can name one): the page is not tried in a browser")
    tab = Browser(path, tmp_path_factory.mktemp("profile"))
    yield tab
    tab.close()
