"""Ray, started on this machine for one study, or joined at an address.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import urllib.parse
from collections.abc import Iterator
from types import ModuleType

from speechbrain_hrf.extras import require

# Results pass through files; Ray's object store carries a few kB. This is
# about the least that it accepts; its default is a third of the memory.
OBJECT_STORE_BYTES = 80 * 2**20
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent to anybody
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # no GPUs were asked for
    "RAY_worker_niceness": "0",  # as the command itself; Ray's own is 15
    # When memory gets short, Ray ends its own workers, whoever has taken it.
    # The system ends who has taken most; that is tried again.
    "RAY_memory_monitor_refresh_ms": "0",
}
_TOKEN = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE")
_OWN_TOKEN = secrets.token_hex(32)  # one, since Ray keeps a process's first


def require_ray() -> ModuleType:
    """Imports Ray, told to keep quiet.

    Returns
    -------
    module
        ``ray``

    Raises
    ------
    ImportError
        Naming the extra to install.

    Example
    -------
    >>> try:
    ...     ray = require_ray()
    ... except ImportError as error:
    ...     print(error)
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    require("studies", ["ray"], "A study")
    import ray

    return ray


@contextlib.contextmanager
def ray_cluster(
    temporary: str | os.PathLike,
    address: str | None = None,
    cores: int | None = None,
    log: str | os.PathLike = os.devnull,
) -> Iterator[ModuleType]:
    """Connects to Ray, and disconnects; what was started is ended.

    Arguments
    ---------
    temporary : str or os.PathLike
        For the files of a cluster that is started.
    address : str, optional
        "auto" or "host:port". Default: one is started.
    cores : int, optional
        Of the one that is started. Default: all.
    log : str or os.PathLike, optional
        Gets what Ray prints, and all else that is printed meanwhile. It is
        added to. Default: lost.

    Yields
    ------
    module
        ``ray``

    Raises
    ------
    ImportError
        If Ray is not installed.
    ConnectionError
        If there is no Ray at the address, or none can be started.

    Example
    -------
    >>> with ray_cluster("/tmp/hrf-demo", "ray://head:10001") as ray:
    ...     pass
    Traceback (most recent call last):
        ...
    ConnectionError: Through Ray's client (ray://head:10001) trials cannot ...
    """
    if address is not None and address.startswith("ray://"):
        host = urllib.parse.urlsplit(address).hostname
        raise ConnectionError(
            f"Through Ray's client ({address}) trials cannot be followed. Give "
            "this command to the cluster itself: ray job submit --address "
            f"http://{host}:8265 -- hrf study ... --address auto"
        )
    ray = require_ray()
    with contextlib.ExitStack() as stack:
        # Whoever shows something to the user keeps the stream of before.
        stack.callback(_remove_empty, log)
        stream = stack.enter_context(open(log, "a", encoding="utf-8"))
        stack.enter_context(contextlib.redirect_stdout(stream))
        stack.enter_context(contextlib.redirect_stderr(stream))
        if address is None and not any(map(os.environ.get, _TOKEN)):
            # Others on this machine may not use the cluster. Ray's own token
            # would stay in ~/.ray, and count for every other cluster too.
            os.environ["RAY_AUTH_TOKEN"] = _OWN_TOKEN
            for name in _TOKEN:  # Ray sets its mode
                stack.callback(os.environ.pop, name, None)
        try:
            _connect(ray, temporary, address, cores)
        except (ValueError, RuntimeError, OSError) as error:
            where = f"reached at {address}" if address else "started here"
            reason = str(error).strip().splitlines()[0]
            raise ConnectionError(f"Ray cannot be {where}: {reason}") from error
        stack.callback(ray.shutdown)
        # Ray has set up its loggers when it was imported.
        logging.getLogger("ray").setLevel(logging.CRITICAL)
        yield ray


def _remove_empty(log):
    if os.path.isfile(log) and not os.path.getsize(log):
        os.remove(log)


def _connect(ray, temporary, address, cores):
    options = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address is None:
        options |= {
            "num_cpus": cores,
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "_temp_dir": str(temporary),
        }
    else:
        place = urllib.parse.urlsplit(f"//{address}")
        if place.port is not None:
            # Ray itself would wait for minutes where nobody answers.
            there = (place.hostname, place.port)
            socket.create_connection(there, timeout=20).close()
    # "local", whatever RAY_ADDRESS says.
    ray.init(address=address or "local", **options)
