"""Plain tables for a terminal: figures are never cut; columns that don't fit are left out, words shortened first."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.text import Text

_GAP = 2
_SHORTEST = 14


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a table.

    Attributes:
        name: Header.
        cells: One text per row.
        right: Align to the right (figures).
        style: Style of the cells.
        flexible: May be shortened with an ellipsis, down to 14 columns of the screen.
        drop: Columns with the highest value are left out first when there is no room; 0 is never left out.
    """

    name: str
    cells: Sequence[str]
    right: bool = False
    style: str = ""
    flexible: bool = False
    drop: int = 0

    @property
    def width(self) -> int:
        """Columns of the screen the widest cell takes."""
        return max(map(cell_len, (self.name, *self.cells)), default=0)


def table(columns: Sequence[Column], *, width: int, indent: int = 2) -> Text | None:
    """The rows as aligned text at most `width` wide, or None when even the necessary columns don't fit."""
    kept = [column for column in columns if any(column.cells)]
    while True:
        widths = _fitted(kept, width - indent)
        if widths is not None:
            return _drawn(kept, widths, indent)
        droppable = [column for column in kept if column.drop]
        if not droppable:
            return None
        kept.remove(max(droppable, key=lambda column: column.drop))


def _fitted(columns: Sequence[Column], room: int) -> list[int] | None:
    """Widths of the columns within the room, flexible ones shortened as far as needed; None when that can't be."""
    widths = [column.width for column in columns]
    excess = sum(widths) + _GAP * (len(columns) - 1) - room
    for place in sorted(range(len(columns)), key=lambda at: -widths[at]):
        if excess > 0 and columns[place].flexible:
            less = min(excess, max(0, widths[place] - _SHORTEST))
            widths[place] -= less
            excess -= less
    return None if excess > 0 else widths


def _drawn(columns: Sequence[Column], widths: Sequence[int], indent: int) -> Text:
    count = len(columns[0].cells) if columns else 0
    head = [(column.name, "dim", column.right) for column in columns]
    rows = [[(column.cells[at], column.style, column.right) for column in columns] for at in range(count)]
    return Text("\n", no_wrap=True).join([_line(row, widths, indent) for row in [head, *rows]])


def _line(cells: Sequence[tuple[str, str, bool]], widths: Sequence[int], indent: int) -> Text:
    line = Text(" " * indent)
    for place, ((text, style, right), width) in enumerate(zip(cells, widths, strict=True)):
        shown = text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
        space = " " * (width - cell_len(shown))
        line.append((" " * _GAP if place else "") + (space if right else ""))
        line.append(shown, style=style)
        line.append("" if right else space)
    line.rstrip()
    return line
