"""Serves or writes the page that listens, from the command line.

    python -m speechbrain_hrf.demo <pretrained folder>
    python -m speechbrain_hrf.demo <pretrained folder> --static <new folder>

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import pathlib
import sys
from collections.abc import Sequence

from speechbrain_hrf.demo import (
    onnxruntime_web,
    page_files,
    page_server,
    write_page,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves the page until it is interrupted, or writes it.

    Arguments
    ---------
    arguments : list of str, optional
        Default those of the command line.

    Returns
    -------
    int
        Exit status: 0, or 1 after an error (2 for wrong arguments, 130 if
        it is interrupted before it serves).

    Example
    -------
    >>> main(["results/none"])
    1
    """
    options = _parser().parse_args(arguments)
    try:
        # The model first: what is wrong with it shows without a download.
        page_files(options.folder, {})
        runtime = onnxruntime_web(options.onnxruntime_web)
        files = page_files(options.folder, runtime)
        if options.static is not None:
            size = write_page(files, options.static)
            print(f"{options.static}: {size / 1e6:.1f} MB, ready to be served")
        else:
            _serve(files, options)
    except (OSError, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before anything was served or written
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hrf demo",
        description="A web page that takes the microphone or a file and runs "
        "an exported model in the browser. No audio leaves the machine.",
    )
    parser.add_argument(
        "folder",
        help="pretrained folder, written by hrf export --onnx",
    )
    parser.add_argument(
        "--static",
        metavar="DIR",
        help="write the page there instead, for any static web server",
    )
    parser.add_argument(
        "--port", type=int, help="default 8765, or the next one that is free"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address or name of this machine to listen on, and to be asked "
        "for by (default %(default)s; 0.0.0.0 or :: is all addresses); from "
        "another machine, browsers give the microphone only to a page by https",
    )
    parser.add_argument(
        "--onnxruntime_web",
        metavar="DIR",
        help="an unpacked onnxruntime-web (default: fetched once by npm)",
    )
    return parser


def _serve(files: dict[str, pathlib.Path], options: argparse.Namespace) -> None:
    with page_server(files, options.port, options.host) as server:
        port, host = server.server_address[1], options.host.strip("[]")
        host = f"[{host}]" if ":" in host else host
        print(f"http://{host}:{port}/  (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    sys.exit(main())
