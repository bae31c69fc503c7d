"""The web server: its files and no others, on a port that is free.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import http.client
import socket
import threading

import pytest

from speechbrain_hrf.demo import page_server
from speechbrain_hrf.demo.server import PORT


@contextlib.contextmanager
def answering(files):
    """Address of a running server."""
    with page_server(files, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address
        finally:
            server.shutdown()
            thread.join()


def ask(address, method, path):
    """Status, headers and body of one answer."""
    connection = http.client.HTTPConnection(*address)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


@pytest.fixture
def files(tmp_path):
    """A page of two files, and one beside it that is none of its."""
    for name in ("index.html", "a.wasm", "secret.txt"):
        (tmp_path / name).write_text(name)
    return {
        "index.html": tmp_path / "index.html",
        "sub/a.wasm": tmp_path / "a.wasm",
    }


def test_it_gives_its_files(files):
    """With their types, by GET and HEAD, the first one for the address."""
    with answering(files) as address:
        for path in ("/", "/index.html", "/?from=mail"):
            status, headers, body = ask(address, "GET", path)
            assert (status, body) == (200, b"index.html")
            assert headers["Content-Type"] == "text/html; charset=utf-8"
        status, headers, body = ask(address, "HEAD", "/sub/a.wasm")
        assert (status, body) == (200, b"")
        assert headers["Content-Type"] == "application/wasm"
        assert headers["Content-Length"] == str(len("a.wasm"))


@pytest.mark.parametrize(
    "path",
    ["/secret.txt", "/../secret.txt", "/%2e%2e/secret.txt", "/sub/"],
)
def test_it_gives_nothing_else(files, path):
    """Only names of the page are looked up, never paths."""
    with answering(files) as address:
        assert ask(address, "GET", path)[0] == 404


def test_it_takes_nothing(files):
    """There is no way to send it sound."""
    with answering(files) as address:
        for method in ("POST", "PUT"):
            assert ask(address, method, "/")[0] == 501


def test_a_file_that_went_away_is_missing(files):
    """The page then says so; the server goes on."""
    files["sub/a.wasm"].unlink()
    with answering(files) as address:
        assert ask(address, "GET", "/sub/a.wasm")[0] == 404
        assert ask(address, "GET", "/")[0] == 200


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


def test_other_machines_cannot_reach_it(files):
    """It listens on this machine's own address."""
    with answering(files) as address:
        assert address[0] == "127.0.0.1"
        with contextlib.suppress(OSError):
            own = socket.gethostbyname(socket.gethostname())
            if not own.startswith("127."):
                with pytest.raises(ConnectionRefusedError):
                    ask((own, address[1]), "GET", "/")
