"""Ray, started on this machine for one study, or joined at an address.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import logging
import os
import secrets
import socket
import tempfile
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
    address: str | None = None,
    cores: int | None = None,
    log: str | os.PathLike = os.devnull,
) -> Iterator[ModuleType]:
    """Connects to Ray, and disconnects; what was started is ended.

    Arguments
    ---------
    address : str, optional
        "auto" or "host:port", as `ray start` says it. Default: one is started.
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
    >>> with ray_cluster("localhost:1") as ray:
    ...     pass
    Traceback (most recent call last):
        ...
    ConnectionError: Ray cannot be reached at localhost:1 (see --help): ...
    """
    ray = require_ray()
    with contextlib.ExitStack() as stack:
        # Whoever shows something to the user keeps the stream of before.
        stream = stack.enter_context(open(log, "a", encoding="utf-8"))
        stack.enter_context(contextlib.redirect_stdout(stream))
        stack.enter_context(contextlib.redirect_stderr(stream))
        if address is None and not any(map(os.environ.get, _TOKEN)):
            # Others on this machine may not use the cluster. Ray's own token
            # would stay in ~/.ray, and count for every other cluster too. This
            # one stays set: Ray keeps the first that a process has had.
            os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        try:
            _connect(ray, address, cores, stack)
        except (ValueError, RuntimeError, OSError) as error:
            do = f"be reached at {address} (see --help)" if address else "start"
            why = str(error).strip().splitlines()[0].rstrip(".")
            raise ConnectionError(f"Ray cannot {do}: {why}.") from error
        stack.callback(ray.shutdown)
        # Ray has set up its loggers when it was imported.
        logging.getLogger("ray").setLevel(logging.CRITICAL)
        yield ray


def _connect(ray, address, cores, stack):
    options = {"address": address}
    if address is None:
        # Sockets lie below it, whose paths are limited to 107 characters, of
        # which Ray takes 63.
        root = tempfile.gettempdir()
        temporary = tempfile.TemporaryDirectory(
            prefix="hrf-",
            dir=root if len(root) < 28 else "/tmp",
            # A dying process of Ray may still write into it.
            ignore_cleanup_errors=True,
        )
        options = {
            "address": "local",  # whatever RAY_ADDRESS says
            "num_cpus": cores,
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "_temp_dir": stack.enter_context(temporary),
        }
    elif ":" in address:
        # Ray itself would wait for minutes where nobody answers.
        host, _, port = address.rpartition(":")
        socket.create_connection((host.strip("[]"), port), 20).close()
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    ray.init(**options, **quiet)
