"""Calls main of a shared library that is linked against wasm3: usage wasm3_library.py LIBRARY ARGUMENT..."""

import ctypes
import sys

import wasm3

# pywasm3's module holds all of wasm3, and shows it.
ctypes.CDLL(wasm3.__file__, ctypes.RTLD_GLOBAL)
arguments = [argument.encode() for argument in sys.argv[1:]]
status = ctypes.CDLL(sys.argv[1]).main(len(arguments), (ctypes.c_char_p * (len(arguments) + 1))(*arguments, None))
ctypes.CDLL(None).fflush(None)
sys.exit(status)
