"""A domain's daemon: sample batches in, sample files out, everything that is lost counted."""

from xenprof.oprofiled.attribution import DaemonConfig, TextRange
from xenprof.oprofiled.daemon import Oprofiled

__all__ = ["DaemonConfig", "Oprofiled", "TextRange"]
