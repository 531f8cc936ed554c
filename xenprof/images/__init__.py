"""Images of a profile: where their files are, and which symbol and line an offset belongs to."""

from xenprof.images.finder import ImageFinder as ImageFinder
from xenprof.images.symbols import ImageSymbols as ImageSymbols
from xenprof.images.symbols import SymbolNames as SymbolNames
from xenprof.images.symbols import load_symbols as load_symbols
from xenprof.images.symbols import text_range as text_range
