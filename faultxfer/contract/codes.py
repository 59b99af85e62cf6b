"""Every finding code of files and rows, and what happens unless the contract says otherwise."""

from __future__ import annotations

from faultxfer.findings import Severity

# The file cannot be read or is not what the contract means; a contract cannot soften these.
FIXED: dict[str, Severity] = {
    "FILE-UNREADABLE": "refuse",
    "FILE-TOO-LARGE": "refuse",
    "FILE-ENCODING": "refuse",
    "FILE-EMPTY": "refuse",
    "FILE-NO-HEADER": "refuse",
    "FILE-SHAPE": "refuse",
    "FILE-AMBIGUOUS": "refuse",
    "FILE-LONG": "refuse",
    "FILE-NO-TAG": "refuse",
    "READING-CONFLICT": "refuse",
    "COLUMN-TWICE": "refuse",
    "COLUMN-MISSING": "refuse",
    "COLUMN-UNKNOWN": "warn",
    "EQUIPMENT-ABSENT": "refuse",
    "EQUIPMENT-UNKNOWN": "refuse",
    "EQUIPMENT-MIXED": "refuse",
    "SENSOR-ALL-MISSING": "refuse",
    "SENSOR-NOT-A-NUMBER": "quarantine",
    "SENSOR-MISSING": "quarantine",
    "SENSOR-IMPUTED": "warn",
    "KEY-MISSING": "quarantine",
    "TIME-UNREADABLE": "quarantine",
    "LABEL-UNKNOWN": "quarantine",
    "LABEL-LEFT-OUT": "warn",
    "ROWS-LEFT-OUT": "warn",
    "ROWS-NONE-LEFT": "refuse",
}

# A contract may set another severity for these under `rules`. The range rule has `on_breach` at
# each sensor.
CONFIGURABLE: dict[str, Severity] = {
    "SENSOR-UNIT": "refuse",
    "READING-DUPLICATE": "warn",
    "READING-QUALITY": "warn",
    "SENSOR-HELD": "warn",
    "SENSOR-NOT-WHOLE": "quarantine",
    "SENSOR-STUCK": "warn",
    "SENSOR-RATE": "quarantine",
    "TIME-GAP": "warn",
    "TIME-BACKWARDS": "warn",
    "TIME-NEWEST-FIRST": "warn",
    "TIME-DUPLICATE": "quarantine",
    "ROW-DUPLICATE": "quarantine",
    "LABEL-CONFLICT": "quarantine",
    "LABEL-LEAK": "refuse",
    "COLUMN-COUNTS": "warn",
    "COLUMN-CLOCK": "warn",
    "COLUMN-QUALITY": "warn",
    "COLUMN-NAME": "warn",
    "COLUMN-COPY": "warn",
    "LABEL-ONE-CLASS": "warn",
    "LABEL-SHARE": "warn",
    "TIME-STEP": "warn",
    "SENSORS-STILL": "warn",
    "MACHINE-LOST": "warn",
    "COLUMN-LOST": "warn",
    "VALUE-ABSENT": "warn",
    "RUN-COPY": "warn",
    "SOURCE-COPY": "quarantine",
}

# Reported only where a model is made, most of them beside a source model.
AT_TRANSFER = frozenset({"LABEL-SHARE", "RUN-COPY", "SOURCE-COPY"})

# What happens by default, by code.
DEFAULTS: dict[str, Severity] = FIXED | CONFIGURABLE
