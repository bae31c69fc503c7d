"""A web server that offers the files of one page, and no others.

Authors
 * The speechbrain_hrf authors 2026
"""

import errno
import functools
import http.server
import os
import pathlib
import socketserver
import sys
import urllib.parse
from typing import Any

PORT = 8765
_TRIES = 20


def page_server(
    files: dict[str, pathlib.Path],
    port: int | None = None,
    host: str = "127.0.0.1",
) -> http.server.ThreadingHTTPServer:
    """A server of a page, listening but not yet answering.

    Arguments
    ---------
    files : dict of str to pathlib.Path
        From ``page_files``.
    port : int, optional
        Default 8765, or the next one that is free; 0 for any.
    host : str
        Address to listen on. Browsers give the microphone to pages of this
        machine, and to pages that come by https.

    Returns
    -------
    http.server.ThreadingHTTPServer
        ``serve_forever()`` answers until it is interrupted.

    Raises
    ------
    OSError
        The port is taken, or the address is none of this machine.

    Example
    -------
    >>> with page_server({}, port=0) as server:
    ...     server.server_address[0]
    '127.0.0.1'
    """
    handler = functools.partial(_Handler, files)
    problem: Exception | None = None
    for attempt in range(PORT, PORT + _TRIES) if port is None else [port]:
        try:
            return _Server((host, attempt), handler)
        except (OSError, OverflowError) as error:
            problem = error
            reason = "is taken"
            if getattr(error, "errno", None) != errno.EADDRINUSE:
                reason = f"cannot be used ({error})"
                break
    before = f" (and every port from {PORT} on)" if port is None else ""
    raise OSError(
        f"{host}:{attempt}{before} {reason}. Give another port by --port, 0 "
        "for any that is free, or an address of this machine by --host."
    ) from problem


class _Server(http.server.ThreadingHTTPServer):
    # Elsewhere, this would let two servers share a port.
    allow_reuse_address = os.name == "posix"

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for this machine's name,
        # which can take seconds and is not used.
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A browser that goes away in the middle of a file is no news.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
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

    def __init__(self, files: dict[str, pathlib.Path], *arguments: Any):
        self.files = files
        super().__init__(*arguments)

    def translate_path(self, path: str) -> str:
        """The place of a file of the page; of anything else, nowhere."""
        name = urllib.parse.unquote(urllib.parse.urlsplit(path).path)[1:]
        return os.fspath(self.files.get(name or "index.html", ""))

    def end_headers(self) -> None:
        """Has the browser ask again each time, and guess nothing."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing: the address line is all that a reader needs."""
