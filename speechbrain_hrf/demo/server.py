"""A web server that offers the files of one page, and no others.

Authors
 * The speechbrain_hrf authors 2026
"""

import errno
import functools
import http.server
import os
import shutil
import socketserver
import sys
import urllib.parse

PORT = 8765
# Not guessed from the system's tables, which may lack some of them.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".onnx": "application/octet-stream",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}
_TRIES = 20


def page_server(files, port=None, host="127.0.0.1"):
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
    tries = [port] if port is not None else range(PORT, PORT + _TRIES)
    for attempt in tries:
        try:
            return _Server((host, attempt), handler)
        except (OSError, OverflowError) as error:
            taken = getattr(error, "errno", None) == errno.EADDRINUSE
            if taken and attempt != tries[-1]:
                continue
            reason = "is taken" if taken else f"cannot be used ({error})"
            which = f"{host}:{attempt}"
            if len(tries) > 1:
                which += f" (and every port from {PORT} on)"
            raise OSError(
                f"{which} {reason}. Give another port by --port, 0 for any "
                "that is free, or an address of this machine by --host."
            ) from error


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # Elsewhere, this would let two servers share a port.
    allow_reuse_address = os.name == "posix"

    def server_bind(self):
        # HTTPServer's own asks the name service for this machine's name,
        # which can take seconds and is not used.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        # A browser that goes away in the middle of a file is no news.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, files, *arguments):
        self.files = files
        super().__init__(*arguments)

    def do_GET(self):  # noqa: N802  (http.server's name)
        self._answer(with_content=True)

    def do_HEAD(self):  # noqa: N802
        self._answer(with_content=False)

    def _answer(self, with_content):
        path = urllib.parse.urlsplit(self.path).path
        name = urllib.parse.unquote(path).removeprefix("/") or "index.html"
        try:
            file = open(self.files[name], "rb")
        except (KeyError, OSError):
            self.send_error(404)
            return
        with file:
            file.seek(0, 2)
            self.send_response(200)
            self.send_header("Content-Type", _TYPES[os.path.splitext(name)[1]])
            self.send_header("Content-Length", str(file.tell()))
            self.send_header("Cache-Control", "no-cache")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if with_content:
                file.seek(0)
                shutil.copyfileobj(file, self.wfile)

    def log_message(self, *_):
        """Says nothing: the address line is all that a reader needs."""
