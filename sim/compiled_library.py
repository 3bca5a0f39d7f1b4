"""The functions of a compiled circuit as ctypes sees them; sim/cxx_driver.cc says the same in C++."""

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path

__all__ = ["MEMORY_VISITOR", "VISITOR", "Exchange", "load_library"]

VISITOR = ctypes.CFUNCTYPE(None, c_char_p, c_int, c_size_t, c_void_p)
"""Called with name, whether it is an input, bits and address of a port."""


MEMORY_VISITOR = ctypes.CFUNCTYPE(None, c_char_p, c_size_t, c_size_t, c_void_p)
"""Called with name, width and depth of a memory and the address of its first row."""


class Exchange(ctypes.Structure):
    """A stream into a circuit, one out of it, and how far both have come."""

    _fields_ = [
        *((f"{side}_{signal}", c_void_p) for side in "io" for signal in ("valid", "ready", "payload")),
        ("words", c_void_p),
        ("count", c_size_t),
        ("taken", c_size_t),
        ("chunks", c_size_t),
        ("answers", c_void_p),
        ("room", c_size_t),
        ("given", c_size_t),
        ("idle", c_uint64),
        ("idle_limit", c_uint64),
        ("call_cycles", c_uint64),
        ("call_limit", c_uint64),
        ("i_pause", c_uint32),
        ("o_pause", c_uint32),
        ("random", c_uint32),
        ("offering", c_uint32),
    ]


_CIRCUIT = c_void_p

_FUNCTIONS = {
    "circuit_open": (_CIRCUIT, []),
    "circuit_close": (None, [_CIRCUIT]),
    "circuit_ports": (None, [_CIRCUIT, VISITOR]),
    "circuit_memories": (None, [_CIRCUIT, MEMORY_VISITOR]),
    "circuit_settle": (None, [_CIRCUIT]),
    "circuit_tick": (None, [_CIRCUIT, c_size_t]),
    "circuit_exchange": (None, [_CIRCUIT, POINTER(Exchange)]),
    "circuit_watch": (None, [_CIRCUIT]),
    "circuit_unwatch": (None, [_CIRCUIT]),
    "circuit_waveforms": (c_size_t, [_CIRCUIT, POINTER(c_char_p)]),
    "circuit_forget_waveforms": (None, [_CIRCUIT]),
}
"""What each gives and takes."""


def load_library(path: Path) -> ctypes.CDLL:
    """The functions of a library that :func:`~sim.compiling.compile_circuit` has made."""
    library = ctypes.CDLL(str(path))
    for name, (gives, takes) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = gives, takes
    return library
