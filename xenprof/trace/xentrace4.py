"""Reads files of later xentraces (Xen 3.2 to 4.x): records of one to ten words of 32 bits.

A record is a header (event in bits 0 to 27, number of data words in 28 to 30, bit 31: a tsc of
64 bits follows), the tsc, the words. A record 0x1f003 without tsc stands before the records read
from one pcpu's ring, and gives the pcpu and their size in bytes.
Source: xen/include/public/trace.h (struct t_rec), tools/xentrace/xentrace.c (4.17).
"""

import numpy as np
import numpy.typing as npt

from xenprof.trace.records import MAX_PCPUS, Records

CPU_CHANGE = 0x2001F003
"""The header of the record that stands before each window."""
_CHANGE_WORDS = 3
_EVENT_MASK = 0x0FFFFFFF
_MAX_WORDS = 7


class Xentrace4:
    """Decodes windows. After damage it goes on at the window's end or at the next window."""

    format = "xentrace 4"

    def __init__(self) -> None:
        self.skipped_bytes = 0
        self._pcpu = -1
        self._left = 0  # words until the window ends
        self._last_tsc: dict[int, int] = {}

    def feed(self, data: bytes, *, is_last: bool) -> tuple[Records, int]:
        """Return records and bytes consumed; see `records.Decoder`."""
        words = np.frombuffer(data, "<u4", len(data) // 4)
        end, starts, pcpus = self._walk(words, is_last=is_last)
        if is_last:
            self.skipped_bytes += len(data) - 4 * end
        records = self._columns(words, np.array(starts, np.intp), np.array(pcpus, np.int32))
        return records, len(data) if is_last else 4 * end

    def _walk(
        self, words: npt.NDArray[np.uint32], *, is_last: bool
    ) -> tuple[int, list[int], list[int]]:
        """Return the position reached, and for each record where it begins and its pcpu."""
        limit = len(words)
        sizes = (1 + (words >> 28 & 7) + (words >> 31 << 1)).tolist()
        changes = np.flatnonzero(words == CPU_CHANGE)
        starts: list[int] = []
        pcpus: list[int] = []
        place = 0
        while place < limit:
            if not self._left:
                if words[place] != CPU_CHANGE:
                    beyond = self._next_change(changes, place, limit)
                    self.skipped_bytes += 4 * (beyond - place)
                    place = beyond
                    continue
                if place + _CHANGE_WORDS > limit:
                    break
                size_bytes = int(words[place + 2])
                if words[place + 1] >= MAX_PCPUS or size_bytes % 4:
                    self.skipped_bytes += 4
                    place += 1
                    continue
                self._pcpu = int(words[place + 1])
                self._left = size_bytes // 4
                place += _CHANGE_WORDS
            window_end = place + self._left
            stop = min(window_end, limit)
            first = len(starts)
            if self._next_change(changes, place, limit) < stop:  # a window inside a window?
                while place < stop and words[place] != CPU_CHANGE:
                    starts.append(place)
                    place += sizes[place]
                if place < stop:
                    window_end = stop = place
            else:
                while place < stop:
                    starts.append(place)
                    place += sizes[place]
            is_cut = place > stop
            if is_cut:
                place = starts.pop()
            pcpus += [self._pcpu] * (len(starts) - first)
            self._left = window_end - place
            if is_cut and stop < window_end and not is_last:
                break  # the rest of the record comes with the next buffer
            if is_cut:
                self.skipped_bytes += 4 * (stop - place)
                place = stop
                self._left = window_end - stop
        return place, starts, pcpus

    @staticmethod
    def _next_change(changes: npt.NDArray[np.intp], place: int, limit: int) -> int:
        index = int(np.searchsorted(changes, place))
        return int(changes[index]) if index < len(changes) else limit

    def _columns(
        self,
        words: npt.NDArray[np.uint32],
        starts: npt.NDArray[np.intp],
        pcpus: npt.NDArray[np.int32],
    ) -> Records:
        headers = words[starts]
        timed = headers >> 31 != 0
        counts = (headers >> 28 & 7).astype(np.uint8)
        padded = np.concatenate([words, np.zeros(_MAX_WORDS + 3, "<u4")])
        low = padded[starts + 1].astype(np.uint64)
        high = padded[starts + 2].astype(np.uint64)
        own = np.where(timed, low | high << np.uint64(32), np.uint64(0))
        first = starts + 1 + 2 * timed
        data = padded[first[:, None] + np.arange(_MAX_WORDS)].astype(np.uint64)
        data[np.arange(_MAX_WORDS) >= counts[:, None]] = 0
        tsc = self._fill(own, timed, pcpus)
        return Records(pcpus, tsc, headers & np.uint32(_EVENT_MASK), data, counts)

    def _fill(
        self,
        own: npt.NDArray[np.uint64],
        timed: npt.NDArray[np.bool_],
        pcpus: npt.NDArray[np.int32],
    ) -> npt.NDArray[np.uint64]:
        """Fill in missing times with those of the previous record on the same pcpu."""
        tsc = own.copy()
        for pcpu in np.unique(pcpus).tolist():
            mine = np.flatnonzero(pcpus == pcpu)
            latest = np.maximum.accumulate(np.where(timed[mine], np.arange(len(mine)), -1))
            known = self._last_tsc.get(pcpu)
            if known is None:  # records before the first time get that one
                index = np.flatnonzero(timed[mine])
                known = int(own[mine[index[0]]]) if len(index) else 0
            filled = np.where(latest >= 0, own[mine[latest]], np.uint64(known))
            tsc[mine] = filled
            self._last_tsc[pcpu] = int(filled[-1])
        return tsc
