"""The page that a reader explores, opened in a real browser."""

import pytest

from browser import browser, go, requests
from explored_page import explored_page


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return explored_page(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened


@pytest.fixture
def opened(chromium, page):
    requests(chromium)
    go(chromium, page)
    return chromium
