"""Names of the columns that travel with accepted rows, and the spellings of a missing value."""

from __future__ import annotations

# An underscore keeps them apart from sensor names; a contract cannot use these.
FILE, ROW, LINE = "_file", "_row", "_line"
EQUIPMENT, RUN, TIME, TIME_TEXT, FAULT = "_equipment", "_run", "_time", "_time_text", "_fault"
CODES = "_codes"
# The recording that a run belongs to, where runs were found to be copies.
RECORDING = "_recording"
# Names of the sensors whose values were filled in, where some were.
IMPUTED = "_imputed"
# Between two of these names; no header has it.
BETWEEN = "\x1f"
# The operating mode, whether the machine runs, and why a row is scored but marked, or not scored.
MODE, RUNNING, REMARK = "_mode", "_running", "_remark"
# Followed by the name of a column that divides the rows into slices.
SLICE = "_slice "
# The slice of the types of fault, where the contract tells them apart.
FAULT_TYPE = SLICE + "fault type"
BOOKKEEPING = frozenset(
    {
        *(FILE, ROW, LINE, EQUIPMENT, RUN, TIME, TIME_TEXT, FAULT, CODES, RECORDING),
        *(MODE, RUNNING, REMARK, IMPUTED),
    }
)

# Empty cells, dashes, what statistics packages and spreadsheets write, and the status words of
# historians.
MISSING = frozenset(
    (
        *("", "-", "--", "---", "nan", "na", "n/a", "n.a.", "null", "none", "nil", "<na>"),
        *("#n/a n/a", "1.#qnan", "#n/a", "#value!", "#ref!", "#div/0!", "#num!", "#name?"),
        *("#null!", "#nv", "#wert!", "#bezug!", "#zahl!", "bad", "bad input", "bad data"),
        *("bad quality", "no data", "nodata", "no result", "no value", "i/o timeout"),
        *("comm fail", "not connect", "intf shut", "scan off", "pt created", "shutdown"),
        *("calc failed", "configure", "arc off-line", "arc offline", "out of serv"),
        *("not available", "invalid"),
    )
)
