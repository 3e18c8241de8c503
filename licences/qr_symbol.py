"""The modules of a QR code: ISO/IEC 18004:2015, error correction level M, the mask of the lowest penalty.

A whole symbol is one integer, a bit a module, row by row: eight masks are weighed by a few dozen shifts instead of by
walking over every module. Everything that depends on the version alone (finder, alignment, format and version modules,
the masks) is drawn once by `qrcode`; what depends on the text is done here.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, zip_longest
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from qrcode import QRCode, base, util
from qrcode.constants import ERROR_CORRECT_M

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MASKS: Final = 8
_BITS: Final = util.BIT_LIMIT_TABLE[ERROR_CORRECT_M]  # data bits by version
#: A run of another mode this long is worth a segment of its own: a URL of digits is six versions smaller by it.
_LEAST_RUN = 20
_PADDING = ("11101100", "00010001")
#: The finder's look-alikes, with four light modules on one side (section 7.8.3.1, feature 3).
_LOOKALIKES = ("10111010000", "00001011101")


class TooLongError(ValueError):
    """The text does not fit into the largest symbol, version 40."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A finished symbol: `rows` from the top, each a string of `1` (dark) and `0`, without the quiet zone."""

    version: int
    mask: int
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the version alone decides. `place` and `place_across` put data bits by rows and by columns.

    `masked` are the symbols without data, by rows and by columns, as they are weighed: format modules light.
    `inner[n]` are the modules with at least n others to the left; `below` those that have one above as well.
    """

    size: int
    place: Callable[[str], tuple[str, ...]]
    place_across: Callable[[str], tuple[str, ...]]
    masked: tuple[tuple[int, int], ...]
    inner: dict[int, int]
    below: int


def symbol(text: str) -> Symbol:
    """Return the smallest symbol of `text` at level M; raises `TooLongError`."""
    version, bits = _data(list(util.optimal_data_chunks(text, minimum=_LEAST_RUN)))
    layout = _layout(version)
    data = _interleaved(version, bits) + "0"  # the last one is what modules without data start from
    by_rows, by_columns = (_integer(place(data)) for place in (layout.place, layout.place_across))
    penalties = [_penalty(layout, by_rows ^ rows, by_columns ^ columns) for rows, columns in layout.masked]
    mask = penalties.index(min(penalties))
    found = f"{by_rows ^ _final(version, mask):0{layout.size**2}b}"
    starts = range(0, len(found), layout.size)
    return Symbol(version, mask, tuple(found[start : start + layout.size] for start in starts))


def _data(chunks: Sequence[util.QRData]) -> tuple[int, str]:
    """Return the version and the data bits, padded to its capacity (section 7.4)."""
    for first, last in ((1, 9), (10, 26), (27, 40)):
        sizes = util.mode_sizes_for_version(first)
        bits = "".join(f"{chunk.mode:04b}{len(chunk.data):0{sizes[chunk.mode]}b}{_written(chunk)}" for chunk in chunks)
        version = bisect_left(_BITS, len(bits), first)
        if version <= last:
            break
    else:
        raise TooLongError("the text does not fit into a QR code")
    bits += "0" * min(4, _BITS[version] - len(bits))
    bits += "0" * (-len(bits) % 8)
    missing = (_BITS[version] - len(bits)) // 8
    return version, bits + ("".join(_PADDING) * missing)[: 8 * missing]


def _written(chunk: util.QRData) -> str:
    data: bytes = chunk.data
    if chunk.mode == util.MODE_8BIT_BYTE:
        return f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}"
    if chunk.mode == util.MODE_NUMBER:
        digits = data.decode("ascii")
        groups = (digits[start : start + 3] for start in range(0, len(digits), 3))
        return "".join(f"{int(group):0{util.NUMBER_LENGTH[len(group)]}b}" for group in groups)
    values = [util.ALPHA_NUM.index(character) for character in data]
    pairs = "".join(f"{a * 45 + b:011b}" for a, b in zip(values[::2], values[1::2], strict=False))
    return pairs + (f"{values[-1]:06b}" if len(values) % 2 else "")


def _interleaved(version: int, bits: str) -> str:
    """Return data and error correction codewords in the order of section 7.6."""
    content = int(bits, 2).to_bytes(len(bits) // 8, "big")
    data: list[bytes] = []
    correction: list[bytes] = []
    start = 0
    for block in base.rs_blocks(version, ERROR_CORRECT_M):
        data.append(content[start : start + block.data_count])
        correction.append(_correction(data[-1], block.total_count - block.data_count))
        start += block.data_count
    woven = bytes(chain(_woven(data), _woven(correction)))
    return f"{int.from_bytes(woven, 'big'):0{8 * len(woven)}b}"


def _woven(blocks: Sequence[bytes]) -> Iterator[int]:
    return (codeword for column in zip_longest(*blocks) for codeword in column if codeword is not None)


def _correction(data: bytes, length: int) -> bytes:
    """Return the Reed-Solomon codewords of one block: the remainder of its division by the generator."""
    multiples, shift = _multiples(length), 8 * (length - 1)
    keep = (1 << shift) - 1
    remainder = 0
    for codeword in data:
        remainder = (remainder & keep) << 8 ^ multiples[remainder >> shift ^ codeword]
    return remainder.to_bytes(length, "big")


@lru_cache(maxsize=64)
def _multiples(length: int) -> tuple[int, ...]:
    """Return the generator polynomial of that degree, its leading term aside, times each element of the field."""
    generator = base.Polynomial([1], 0)
    for power in range(length):
        generator = generator * base.Polynomial([1, base.gexp(power)], 0)
    logs = [base.glog(generator[place]) for place in range(1, length + 1)]
    factors = (base.glog(factor) for factor in range(1, 256))
    return 0, *(int.from_bytes(bytes(base.gexp(log + factor) for log in logs), "big") for factor in factors)


def _penalty(layout: _Layout, rows: int, columns: int) -> int:
    """Return what section 7.8.3.1 counts against a symbol."""
    lines = sum(_runs(layout, line) + 40 * _lookalikes(layout, line) for line in (rows, columns))
    unlike = rows ^ rows >> 1
    blocks = (layout.below & ~(unlike | unlike >> layout.size | rows ^ rows >> layout.size)).bit_count()
    dark = rows.bit_count() / layout.size**2
    return lines + 3 * blocks + 10 * int(abs(dark * 100 - 50) / 5)


def _runs(layout: _Layout, lines: int) -> int:
    """Count 3 for five modules of one colour in a line, and 1 for each further one."""
    alike = layout.inner[1] & ~(lines ^ lines >> 1)
    fifth = alike & alike >> 1 & alike >> 2 & alike >> 3
    return fifth.bit_count() + 2 * (fifth & ~(fifth >> 1)).bit_count()


def _lookalikes(layout: _Layout, lines: int) -> int:
    shifted = [lines >> place for place in range(11)]
    count = 0
    for pattern in _LOOKALIKES:
        found = layout.inner[10]
        for module, line in zip(reversed(pattern), shifted, strict=True):
            found &= line if module == "1" else ~line
        count += found.bit_count()
    return count


@lru_cache(maxsize=40)
def _layout(version: int) -> _Layout:
    size = 4 * version + 17
    order = _order(version)
    index = {place: number for number, place in enumerate(order)}
    places = [index.get((row, column), -1) for row in range(size) for column in range(size)]
    across = [index.get((row, column), -1) for column in range(size) for row in range(size)]
    drawn = [_drawn(version, mask, test=True) for mask in range(MASKS)]
    inner = {n: _integer("0" * n + "1" * (size - n) for _ in range(size)) for n in (1, 10)}
    return _Layout(
        size,
        itemgetter(*places),
        itemgetter(*across),
        tuple((_flat(modules), _flat(zip(*modules, strict=True))) for modules in drawn),
        inner,
        inner[1] & (1 << size * (size - 1)) - 1,
    )


@lru_cache(maxsize=40 * MASKS)
def _final(version: int, mask: int) -> int:
    return _flat(_drawn(version, mask, test=False))


def _drawn(version: int, mask: int, *, test: bool, codewords: Sequence[int] = ()) -> list[list[bool]]:
    """Return the modules of a symbol as `qrcode` draws them; `test` leaves format and version modules light."""
    code = QRCode(version=version, error_correction=ERROR_CORRECT_M)
    code.data_cache = list(codewords)
    code.makeImpl(test, mask)
    return [[bool(module) for module in row] for row in code.modules]


def _order(version: int) -> list[tuple[int, int]]:
    """Return the places of the data bits: upwards and downwards in pairs of columns from the right (section 7.7.3)."""
    size = 4 * version + 17
    full = [0xFF] * sum(block.total_count for block in base.rs_blocks(version, ERROR_CORRECT_M))
    light, dark = _drawn(version, 0, test=True), _drawn(version, 0, test=True, codewords=full)
    found: list[tuple[int, int]] = []
    upwards = True
    for right in (*range(size - 1, 6, -2), *range(5, 0, -2)):
        for row in range(size - 1, -1, -1) if upwards else range(size):
            found += [(row, column) for column in (right, right - 1) if light[row][column] != dark[row][column]]
        upwards = not upwards
    return found


def _flat(rows: Iterable[Iterable[bool]]) -> int:
    return _integer("1" if module else "0" for row in rows for module in row)


def _integer(modules: Iterable[str]) -> int:
    return int("".join(modules), 2)
