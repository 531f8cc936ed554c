"""The congestion window of a TCP sender: slow start, and BIC as the default of Linux 2.6.18.

Source: net/ipv4/tcp_bic.c and tcp_cong.c; acknowledgements come in lots here, so their effects are
added lot by lot.
"""

from typing import Final

INITIAL_SEGMENTS: Final = 3  # RFC 3390, at an MSS of 1448
_LOW_WINDOW: Final = 14
_MAX_INCREMENT: Final = 16
_SMOOTH_PART: Final = 20
_STEPS: Final = 4  # BICTCP_B
_BETA: Final = 819  # of 1024
_SCALE: Final = 1024
_LOSSLESS_COUNT: Final = 20  # 5 % a round trip before the first loss
_MOST_SEGMENTS: Final = 1 << 20


class Congestion:
    """A congestion window in segments."""

    __slots__ = ("_counted", "_last_max", "_loss_segments", "_threshold", "segments")

    def __init__(self) -> None:
        self.segments = INITIAL_SEGMENTS
        self._threshold = _MOST_SEGMENTS
        self._last_max = 0
        self._loss_segments = 0
        self._counted = 0

    def acknowledged(self, acks: int, segments: int) -> None:
        """Open the window for `acks` acknowledgements of so many segments together."""
        if self.segments < self._threshold:
            self.segments = min(self.segments + acks, max(self._threshold, self.segments + 1))
            return
        self._counted += segments
        grown = 0
        while grown < segments:
            each = self._segments_for_one()
            if self._counted < each:
                return
            self._counted -= each
            self.segments += 1
            grown += 1

    def _segments_for_one(self) -> int:
        """Return after how many acknowledged segments the window grows by one."""
        window, top = self.segments, self._last_max
        if window <= _LOW_WINDOW:
            count = window
        elif window < top:
            distance = (top - window) // _STEPS
            if distance > _MAX_INCREMENT:
                count = window // _MAX_INCREMENT
            elif distance <= 1:
                count = window * _SMOOTH_PART // _STEPS
            else:
                count = window // distance
        elif window < top + _STEPS:
            count = window * _SMOOTH_PART // _STEPS
        elif window < top + _MAX_INCREMENT * (_STEPS - 1):
            count = window * (_STEPS - 1) // (window - top)
        else:
            count = window // _MAX_INCREMENT
        if not self._loss_segments:
            count = min(count, _LOSSLESS_COUNT)
        return max(count, 1)

    def lost(self) -> None:
        """Close the window after a loss that later packets told of."""
        window = self.segments
        if window < self._last_max:  # fast convergence
            self._last_max = window * (_SCALE + _BETA) // (2 * _SCALE)
        else:
            self._last_max = window
        self._loss_segments = window
        self._counted = 0
        reduced = window // 2 if window <= _LOW_WINDOW else window * _BETA // _SCALE
        self._threshold = self.segments = max(reduced, 2)

    def timed_out(self) -> None:
        """Begin again with one segment, as nothing has told of the loss."""
        self.lost()
        self.segments = 1
