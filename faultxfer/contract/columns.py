"""Names of the bookkeeping columns that travel with accepted rows, and the spellings of a missing value."""

from __future__ import annotations

# An underscore keeps them apart from sensor names; a contract cannot use these.
FILE, ROW, LINE = "_file", "_row", "_line"
EQUIPMENT, RUN, TIME, TIME_TEXT, FAULT = "_equipment", "_run", "_time", "_time_text", "_fault"
CODES = "_codes"
BOOKKEEPING = frozenset({FILE, ROW, LINE, EQUIPMENT, RUN, TIME, TIME_TEXT, FAULT, CODES})

MISSING = frozenset({"", "-", "nan", "na", "n/a", "null", "none", "#n/a", "<na>"})
