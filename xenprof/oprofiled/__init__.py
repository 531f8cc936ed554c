"""A domain's daemon: turns sample batches into sample files, and counts all losses."""

from xenprof.oprofiled.attribution import DaemonConfig, TextRange
from xenprof.oprofiled.daemon import Oprofiled

__all__ = ["DaemonConfig", "Oprofiled", "TextRange"]
