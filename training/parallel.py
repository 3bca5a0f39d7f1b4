"""Where trees are grown: on the cores of this machine, or on a Dask cluster."""

import contextlib
from collections.abc import Iterator

import joblib

from compiler.errors import InputError
from compiler.extras import import_extra

__all__ = ["BACKENDS", "parallel_backend"]

BACKENDS = ("loky", "threading", "dask")


@contextlib.contextmanager
def parallel_backend(name: str, scheduler: str | None = None) -> Iterator[None]:
    """Let joblib work with this backend; ``dask`` on the cluster of a scheduler or, without one, on a local one."""
    if name not in BACKENDS:
        raise InputError(f"--backend: must be one of {', '.join(BACKENDS)}, not {name!r}")
    if scheduler is not None and name != "dask":
        raise InputError(f"--scheduler: has no meaning with --backend {name}")
    if name != "dask":
        with joblib.parallel_config(backend=name):
            yield
        return
    distributed = import_extra("distributed", "cluster", "--backend dask")
    address = {"address": scheduler} if scheduler else {"processes": False, "dashboard_address": None}
    try:
        client = distributed.Client(**address, timeout="10s")
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler: {scheduler!r} cannot be reached: {error}") from None
    with client, joblib.parallel_config(backend="dask"):
        yield
