"""Progress is logged; the command line shows it, a flow run stores it."""

from __future__ import annotations

import logging

progress = logging.getLogger("faultxfer.progress")

# Passed as ``extra``: the message is no step that takes time and is done, but something to know.
NOTE = {"note": True}
