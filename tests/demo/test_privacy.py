"""No request leaves the page's origin, and none could.

Authors
 * The speechbrain_hrf authors 2026
"""

import http.server

import pytest

from demo.pages import Quiet, opened, plain_server, running, tone
from speechbrain_hrf.demo import write_page

# Every way by which a script could send something out.
SEND = """async (url) => {
  const ways = {
    fetch: () => fetch(url + "fetch", {mode: "no-cors"}),
    post: () => fetch(url + "post", {method: "POST", mode: "no-cors", body: "x"}),
    beacon: () => navigator.sendBeacon(url + "beacon", "x"),
    request: () => new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.onloadend = resolve;
      request.open("GET", url + "request");
      request.send();
    }),
    image: () => new Promise((resolve) => {
      const image = new Image();
      image.onload = image.onerror = resolve;
      image.src = url + "image";
    }),
    script: () => import(url + "script.js"),
  };
  for (const way of Object.values(ways)) await Promise.resolve(way()).catch(() => {});
  return Object.keys(ways).length;
}"""


@pytest.fixture
def stranger():
    """Another server, and what it is asked for."""
    asked = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815
        log_message = Quiet.log_message

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    with running(server) as address:
        yield address, asked


def test_nothing_leaves(page, shared_page, address, say):
    """From the page's first request to the end of microphone and file."""
    _, _, requests = shared_page
    page.click("#listen")
    page.wait_for_selector("#result:visible")
    page.click("#listen")
    page.wait_for_selector("#status:text('Stopped')")
    loaded = len(requests)
    page.set_input_files("#file", say(tone(300, 3)))
    page.wait_for_selector("#status:text('is done')")
    urls = [request.url for request in requests]
    assert len(urls) == loaded > 15
    assert [url for url in urls if not url.startswith((address, "data:"))] == []
    assert {request.method for request in requests} == {"GET"}
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_nothing_could_leave(page, shared_page, stranger):
    """The browser stops every way out, whatever a script might try."""
    url, asked = stranger
    _, trouble, _ = shared_page
    assert page.evaluate(SEND, url) == 6
    assert asked == []
    assert any("Content Security Policy" in text for text in trouble)
    trouble.clear()


def test_it_would_be_noticed(browser, stranger, tmp_path):
    """Negative control: from a page without that policy, all of them leave."""
    (tmp_path / "index.html").write_text("<p>No policy.</p>")
    url, asked = stranger
    with (
        running(plain_server(tmp_path)) as address,
        opened(browser, address, ready=False) as (page, _, requests),
    ):
        ways = page.evaluate(SEND, url)
    assert len(asked) == ways == 6
    assert len([x for x in requests if x.url.startswith(url)]) == 6


@pytest.mark.slow
def test_it_works_below_any_path(browser, files, tmp_path, say):
    """As written by --static, from a plain server, with relative names."""
    write_page(files, tmp_path / "a b" / "ü")
    with running(plain_server(tmp_path)) as address:
        home = address + "a%20b/%C3%BC/"
        with opened(browser, home) as (page, trouble, requests):
            page.set_input_files("#file", say(tone(300, 1)))
            page.wait_for_selector("#status:text('is done')")
            page.click("#listen")
            page.wait_for_selector("#result:visible")
            name = page.get_attribute("a", "href")
            licences = page.evaluate(f"fetch('{name}').then((x) => x.text())")
    assert "Copyright (c) Microsoft" in licences
    for request in requests:
        assert request.url.startswith((home, "data:"))
    assert trouble == []
