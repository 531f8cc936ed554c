"""Finds the files of a profile's images, and the symbol and line of an offset in them."""

from xenprof.images.finder import ImageFinder as ImageFinder
from xenprof.images.symbols import ImageSymbols as ImageSymbols
from xenprof.images.symbols import SymbolNames as SymbolNames
from xenprof.images.symbols import load_symbols as load_symbols
from xenprof.images.symbols import text_range as text_range
