"""A web server that offers the files of one page, and no others.

It is read by whoever can reach its port, so it waits for nobody long, holds few
connections, and answers to its own names alone: else any web site could have
its own name lead here and read the page through a visitor's browser.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import errno
import hashlib
import http.server
import io
import ipaddress
import os
import pathlib
import socket
import socketserver
import sys
import time
import urllib.parse
from http import HTTPStatus
from typing import Any

PORT = 8765
_TRIES = 20
# For a request to come whole, and for a part of an answer to be taken.
SECONDS = 10.0
# A browser opens six. At most so many threads run.
MOST_CONNECTIONS = 64
# Addresses that stand for all of the machine's.
_ALL_ADDRESSES = ("0.0.0.0", "::")


def page_server(
    files: dict[str, pathlib.Path],
    port: int | None = None,
    host: str = "127.0.0.1",
) -> http.server.ThreadingHTTPServer:
    """A server of a page, listening but not yet answering.

    Arguments
    ---------
    files : dict of str to pathlib.Path
        From ``page_files``. They are read now: what becomes of them later is
        not served.
    port : int, optional
        Default 8765, or the next one that is free; 0 for any.
    host : str
        Address or name to listen on. Browsers give the microphone to pages of
        this machine, and to pages that come by https.

    Returns
    -------
    http.server.ThreadingHTTPServer
        ``serve_forever()`` answers until it is interrupted.

    Raises
    ------
    OSError
        A file cannot be read, the port is taken, or the address is none of
        this machine.

    Example
    -------
    >>> with page_server({}, port=0) as server:
    ...     server.server_address[0]
    '127.0.0.1'
    """
    host = host.strip("[]")  # of an IPv6 address, as it stands in a URL
    contents = {name: path.read_bytes() for name, path in files.items()}
    problem: Exception | None = None
    for attempt in range(PORT, PORT + _TRIES) if port is None else [port]:
        try:
            return _Server(host, attempt, contents)
        except (OSError, OverflowError) as error:
            problem = error
            reason = "is taken"
            if getattr(error, "errno", None) != errno.EADDRINUSE:
                reason = f"cannot be used ({error})"
                break
    all_taken = port is None and reason == "is taken"
    before = f" (and every port from {PORT} on)" if all_taken else ""
    raise OSError(
        f"{host}:{attempt}{before} {reason}. Give another port by --port, 0 "
        "for any that is free, or an address of this machine by --host."
    ) from problem


class _Server(http.server.ThreadingHTTPServer):
    # Elsewhere, this would let two servers share a port.
    allow_reuse_address = os.name == "posix"
    # With few, the kernel has those who come at once try again a second later.
    request_queue_size = 2 * MOST_CONNECTIONS

    def __init__(self, host: str, port: int, contents: dict[str, bytes]):
        self.contents = contents
        self.tags = {
            name: f'"{hashlib.sha256(content).hexdigest()}"'
            for name, content in contents.items()
        }
        self.connections: set[socket.socket] = set()
        # Since when a request is waited for; the longest comes first.
        self.waiting: dict[socket.socket, float] = {}
        found = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM)
        families = {family for family, *_ in found}
        if socket.AF_INET not in families:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)
        address = str(self.server_address[0])
        self.is_everywhere = address in _ALL_ADDRESSES
        self.names = {"localhost", "127.0.0.1", "::1", address, host.lower()}

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for this machine's name,
        # which can take seconds and is not used.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        if len(self.connections) >= MOST_CONNECTIONS:
            slowest = next(iter(list(self.waiting)), None)
            if slowest is None:  # all of them are being answered
                super().shutdown_request(request)
                return
            self._cut(slowest)
        self.connections.add(request)
        # From now, not from when its thread begins: else of many that come at
        # once none could make room.
        self.waiting[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        self.waiting.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        # A byte now and then would keep a socket's own timeout from ending.
        for connection, since in list(self.waiting.items()):
            if time.monotonic() - since > SECONDS:
                self._cut(connection)

    def _cut(self, connection: socket.socket) -> None:
        # Its thread then reads the end of the request, and ends.
        self.waiting.pop(connection, None)
        self.connections.discard(connection)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def is_called(self, name: str | None) -> bool:
        if name in self.names:
            return True
        with contextlib.suppress(ValueError):
            # Other machines know it by addresses that it may not know itself;
            # what leads elsewhere at times are names.
            return self.is_everywhere and bool(ipaddress.ip_address(name or ""))
        return False

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A browser that goes away in the middle of a file is no news.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.SimpleHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Of a line that names none: HTTP/0.9 would get answers without a status.
    default_request_version = "HTTP/1.0"
    # Not guessed from the system's tables, which may lack some of them.
    extensions_map = {
        ".css": "text/css; charset=utf-8",
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".md": "text/plain; charset=utf-8",
        ".mjs": "text/javascript; charset=utf-8",
        ".onnx": "application/octet-stream",
        ".txt": "text/plain; charset=utf-8",
        ".wasm": "application/wasm",
    }

    def setup(self) -> None:
        """Of a connection: nothing that it does takes longer."""
        super().setup()
        self.connection.settimeout(SECONDS)

    def handle_one_request(self) -> None:
        """Waits for a request, and answers it."""
        self.server.waiting[self.connection] = time.monotonic()
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Refuses what no browser sends to this server by one of its names."""
        if not super().parse_request():
            return False
        self.server.waiting.pop(self.connection, None)
        try:
            asked = urllib.parse.urlsplit(self.path)
            hosts = self.headers.get_all("Host", [])
            if asked.netloc:
                hosts = [asked.netloc]
            (host,) = hosts
            name = urllib.parse.urlsplit(f"//{host}").hostname
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return False
        if not self.server.is_called(name):
            self.send_error(
                HTTPStatus.MISDIRECTED_REQUEST,
                explain="This page is served under the address that the "
                "command has printed. Give another name of this machine by "
                "--host.",
            )
            return False
        self.name = urllib.parse.unquote(asked.path)[1:] or "index.html"
        return True

    def send_head(self) -> io.BytesIO | None:
        """The head of an answer; what is to follow it."""
        content = self.server.contents.get(self.name)
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        tag = self.server.tags[self.name]
        is_known = self.headers.get("If-None-Match") == tag
        self.send_response(
            HTTPStatus.NOT_MODIFIED if is_known else HTTPStatus.OK
        )
        self.send_header("ETag", tag)
        if not is_known:
            self.send_header("Content-Type", self.guess_type(self.name))
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return None if is_known else io.BytesIO(content)

    def end_headers(self) -> None:
        """Has the browser ask again each time, and guess nothing."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing: the address line is all that a reader needs."""
