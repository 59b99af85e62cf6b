"""In which order the check comes to its findings, and which of them add up over parts."""

from __future__ import annotations

NEWEST_FIRST, HELD, OUTSIDE = "TIME-NEWEST-FIRST", "SENSOR-HELD", "ROWS-LEFT-OUT"
# Findings of rows that add up, by the step of the check that makes them. Whether a row has one is
# seen from the row itself, or from rows of its recording around it.
STEP = {
    OUTSIDE: -1,
    "READING-QUALITY": 0,
    "SENSOR-PRESENT": 0,
    "SENSOR-NOT-A-NUMBER": 0,
    "KEY-MISSING": 1,
    "TIME-UNREADABLE": 2,
    HELD: 3,
    "SENSOR-IMPUTED": 4,
    "SENSOR-MISSING": 4,
    "SENSOR-OUT-OF-RANGE": 4,
    NEWEST_FIRST: 5,
    "SENSOR-NOT-WHOLE": 6,
    "ROW-DUPLICATE": 7,
    "TIME-DUPLICATE": 8,
    "TIME-BACKWARDS": 9,
    "TIME-GAP": 10,
    "TIME-STEP": 11,
    "SENSOR-RATE": 12,
    "SENSOR-STUCK": 13,
    "SENSORS-STILL": 14,
    "LABEL-ONE-CLASS": 15,
}
# What is judged again over all rows.
JUDGED_AGAIN = frozenset({NEWEST_FIRST, HELD, "TIME-STEP", "LABEL-LEAK", "LABEL-ONE-CLASS"})
# What a part shows of the file as a whole, in the order of the check.
OF_THE_FILE = frozenset({"COLUMN-UNKNOWN", "COLUMN-LOST", "SENSOR-GONE"})
