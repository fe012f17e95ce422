"""Ways of making whole people, by name: options, allocation, the call of the kernels, statuses. No loop over people is here."""

from synthpop_gb.methods._method import METHODS, BlockResult, Method, Streams, get_method, make_options, register_method
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.methods.anneal import AnnealOptions, anneal_trace
from synthpop_gb.methods.balance import BalanceOptions
from synthpop_gb.methods.calibrate import CalibrateOptions
from synthpop_gb.methods.ipf import IPFOptions
from synthpop_gb.methods.quasirandom import QISIOptions
from synthpop_gb.methods.urns import QuasirandomTable, qis

__all__ = [
    "METHODS",
    "AnnealOptions",
    "BalanceOptions",
    "BlockResult",
    "CalibrateOptions",
    "IPFOptions",
    "Method",
    "QISIOptions",
    "QuasirandomTable",
    "Remembered",
    "Streams",
    "anneal_trace",
    "get_method",
    "make_options",
    "qis",
    "register_method",
]
