"""The web server: its files and no others, on a port that is free.

Authors
 * The speechbrain_hrf authors 2026
"""

import http.client
import socket
import sys
import threading
import time

import pytest

from demo.pages import running
from speechbrain_hrf.demo import page_server, server
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
def served(files):
    """A server of the page that runs."""
    served = page_server(files, port=0)
    with running(served):
        yield served


@pytest.fixture
def ask(served):
    """Gives a function: status, headers and body of one answer."""

    def ask(method, path, host="127.0.0.1", **headers):
        port = served.server_address[1]
        connection = http.client.HTTPConnection(host, port, timeout=60)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    return ask


@pytest.fixture
def connect(served):
    """Gives a function: a new connection that has sent some bytes."""
    made = []

    def connect(sent):
        made.append(socket.create_connection(served.server_address, 60))
        made[-1].sendall(sent)
        return made[-1]

    yield connect
    for connection in made:
        connection.close()


def read_all(connection):
    """What comes until the other side ends."""
    try:
        return b"".join(iter(lambda: connection.recv(65536), b""))
    except ConnectionError:  # it ends with what it was sent unread
        return b""


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


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


def test_it_gives_nothing_else(ask):
    """Only names of the page are looked up, never paths; it takes nothing."""
    for path in (
        "/secret.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/%00",
        "/sub/",
        "/sub/../index.html",
    ):
        assert ask("GET", path)[0] == 404, path
    for method in ("POST", "PUT"):
        assert ask(method, "/")[0] == 501
    assert ask("GET", "/")[0] == 200


def test_what_lies_there_later_is_not_served(ask, files):
    """A link in the place of a file, such as to what nobody may read."""
    files["sub/a.wasm"].unlink()
    files["sub/a.wasm"].symlink_to(files["index.html"].with_name("secret.txt"))
    assert ask("GET", "/sub/a.wasm")[2] == b"a.wasm"
    files["sub/a.wasm"].unlink()
    with pytest.raises(FileNotFoundError, match="a.wasm"):
        page_server(files, port=0)


def test_a_browser_keeps_what_has_not_changed(ask):
    """It asks again each time, and is then told so in a few bytes."""
    status, headers, _ = ask("GET", "/index.html")
    assert headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": headers["ETag"]}
    assert ask("GET", "/index.html", **known)[::2] == (304, b"")
    assert ask("GET", "/sub/a.wasm", **known)[::2] == (200, b"a.wasm")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:9000", 200),  # as a forwarded port is asked
        ("127.0.0.1:8765", 200),
        ("[::1]:8765", 200),
        ("evil.example", 421),
        ("evil.example:8765", 421),
        ("localhost.evil.example", 421),
        ("192.0.2.1", 421),
        ("", 421),
        ("[", 400),
        # No address of IPv6: said by Python from 3.11 on
        ("[x]", 400 if sys.version_info >= (3, 11) else 421),
    ],
)
def test_other_names_are_refused(ask, host, status):
    """A web site could give its own name this machine's address."""
    assert ask("GET", "/", Host=host)[0] == status
    if host not in ("", "[", "[x]"):  # the whole address is asked for
        assert ask("GET", f"http://{host}/")[0] == status
        assert ask("GET", f"http://{host}/", Host="localhost")[0] == status


@pytest.mark.parametrize(
    ("host", "asked", "status"),
    [
        ("0.0.0.0", "192.0.2.1", 200),
        ("0.0.0.0", "evil.example", 421),
        ("", "192.0.2.1", 200),
        ("::1", "[::1]", 200),
        ("[::1]", "[::1]", 200),
        ("::1", "evil.example", 421),
        ("::", "[2001:db8::1]", 200),
        ("localhost", "localhost", 200),
    ],
)
def test_the_address_to_listen_on_is_a_name(files, host, asked, status):
    """All addresses: any of them; of an IPv6 address with or without []."""
    here = "::1" if ":" in host else "127.0.0.1"
    try:
        served = page_server(files, 0, host)
    except OSError:
        if here == "::1":
            pytest.skip("this machine has no IPv6")
        raise
    with running(served):
        port = served.server_address[1]
        connection = http.client.HTTPConnection(here, port, timeout=60)
        connection.request("GET", "/", headers={"Host": asked})
        assert connection.getresponse().status == status
        connection.close()


HOST = b"Host: localhost\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET http://[/x HTTP/1.1\r\n" + HOST, 400),
        (b"GET //[/x HTTP/1.1\r\n" + HOST, 404),
        (b"GET / HTTP/1.1\r\n", 400),  # no name
        (b"GET / HTTP/1.1\r\n" + 2 * HOST, 400),
        (b"GET /\r\n", 400),
        (b"GET\r\n" + HOST, 400),
        (b"GET / x HTTP/1.1\r\n" + HOST, 400),
        (b"GET / HTTP/x\r\n" + HOST, 400),
        (b"GET / HTTP/9.9\r\n" + HOST, 505),
        (b"\x16\x03\x01\x02\xff\r\n", 400),  # the beginning of TLS
        (b"\xff\xfe / HTTP/1.1\r\n" + HOST, 501),
        (b"GET /\xff\xfe HTTP/1.1\r\n" + HOST, 404),
        (b"GET /%ff%fe HTTP/1.1\r\n" + HOST, 404),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + 200 * HOST, 431),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n", 431),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_malformed_request_is_answered(connect, capfd, sent, status):
    """With its status and in no other way: no traceback, no silence."""
    connection = connect(sent + b"\r\n")
    connection.shutdown(socket.SHUT_WR)
    answer = read_all(connection)
    if len(sent) < 60_000:  # else it may end while the rest is on its way
        assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert capfd.readouterr().err == ""


def test_who_sends_half_a_request_is_cut_off(
    served, connect, monkeypatch, capfd
):
    """Also one of whom a byte comes now and then."""
    monkeypatch.setattr(server, "SECONDS", 0.3)
    connect(b"GET / HT")
    connect(b"GET / HTTP/1.1\r\nHost: local")
    silent = connect(b"")
    slow = connect(b"GET /")
    with pytest.raises(ConnectionError):
        for _ in range(500):
            slow.sendall(b"x")
            time.sleep(0.02)
    assert read_all(silent) == b""
    wait_for(lambda: not served.connections and not served.waiting)
    assert capfd.readouterr().err == ""


def test_who_takes_no_answer_is_cut_off(served, connect, monkeypatch, capfd):
    """Its thread would hold the file for ever."""
    monkeypatch.setattr(server, "SECONDS", 0.3)
    served.contents["index.html"] = bytes(50_000_000)
    connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_for(lambda: served.connections and not served.waiting)
    wait_for(lambda: not served.connections)
    assert capfd.readouterr().err == ""


def test_many_connections_keep_nobody_out(served, ask, connect, monkeypatch):
    """Those that ask for nothing make room; if none does, the new one goes."""
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 5)
    before = threading.active_count()
    for _ in range(60):
        connect(b"GET / HT")
    assert ask("GET", "/")[::2] == (200, b"index.html")
    wait_for(lambda: threading.active_count() <= before + 5)
    served.contents["index.html"] = bytes(50_000_000)
    for _ in range(5):
        connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_for(lambda: len(served.connections) == 5 and not served.waiting)
    assert read_all(connect(b"GET / HTTP/1.1\r\n")) == b""
    assert len(served.connections) == 5


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
