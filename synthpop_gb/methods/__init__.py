"""Ways of making whole people, by name: options, allocation, the call of the kernels, statuses. No loop over people is here."""

from synthpop_gb.methods._method import METHODS, BlockResult, Method, Streams, get_method, make_options, register_method
from synthpop_gb.methods.ipf import IPFOptions
from synthpop_gb.methods.quasirandom import QISIOptions

__all__ = [
    "METHODS",
    "BlockResult",
    "IPFOptions",
    "Method",
    "QISIOptions",
    "Streams",
    "get_method",
    "make_options",
    "register_method",
]
