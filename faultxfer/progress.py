"""Progress is logged; the command line shows it, a flow run stores it."""

from __future__ import annotations

import logging

progress = logging.getLogger("faultxfer.progress")
