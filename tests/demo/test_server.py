"""The web server: its files and no others, on a port that is free.

Authors
 * The speechbrain_hrf authors 2026
"""

import http.client
import socket

import pytest

from demo.pages import running
from speechbrain_hrf.demo import page_server
from speechbrain_hrf.demo.server import PORT


@pytest.fixture
def files(tmp_path):
    """A page of two files, and one beside it that is none of its."""
    for name in ("index.html", "a.wasm", "secret.txt"):
        (tmp_path / name).write_text(name)
    return {
        "index.html": tmp_path / "index.html",
        "sub/a.wasm": tmp_path / "a.wasm",
    }


@pytest.fixture
def ask(files):
    """Gives a function: status, headers and body of one answer."""
    server = page_server(files, port=0)

    def ask(method, path, host="127.0.0.1"):
        port = server.server_address[1]
        connection = http.client.HTTPConnection(host, port)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    with running(server):
        yield ask


def test_it_gives_its_files(ask):
    """With their types, by GET and HEAD, the first one for the address."""
    for path in ("/", "/index.html", "/?from=mail"):
        status, headers, body = ask("GET", path)
        assert (status, body) == (200, b"index.html")
        assert headers["Content-Type"] == "text/html; charset=utf-8"
    status, headers, body = ask("HEAD", "/sub/a.wasm")
    assert (status, body) == (200, b"")
    assert headers["Content-Type"] == "application/wasm"
    assert headers["Content-Length"] == str(len("a.wasm"))


def test_it_gives_nothing_else(ask, files):
    """Only names of the page are looked up, never paths; it takes nothing."""
    files["sub/a.wasm"].unlink()  # the page then says so
    for path in (
        "/secret.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/sub/",
        "/sub/a.wasm",
        "/sub/../index.html",
    ):
        assert ask("GET", path)[0] == 404, path
    for method in ("POST", "PUT"):
        assert ask(method, "/")[0] == 501
    assert ask("GET", "/")[0] == 200


def test_a_port_that_is_taken():
    """A wish is refused with the fix; the default goes on to the next."""
    with page_server({}, port=0) as server:
        taken = server.server_address[1]
        with pytest.raises(OSError, match=f"{taken} is taken.*--port"):
            page_server({}, port=taken)
    with page_server({}) as first, page_server({}) as second:
        ports = first.server_address[1], second.server_address[1]
        assert PORT <= ports[0] < ports[1]


def test_an_impossible_address():
    """A port out of range, an address of another machine."""
    with pytest.raises(OSError, match="99999 cannot be used.*--port"):
        page_server({}, port=99999)
    with pytest.raises(OSError, match="cannot be used.*--host"):
        page_server({}, port=0, host="192.0.2.1")


def test_other_machines_cannot_reach_it(ask):
    """It listens on this machine's own address."""
    try:
        own = socket.gethostbyname(socket.gethostname())
    except OSError:
        own = "127.0.0.1"
    if own.startswith("127."):
        pytest.skip("this machine knows no other address of its own")
    with pytest.raises(ConnectionRefusedError):
        ask("GET", "/", own)
