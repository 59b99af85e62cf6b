"""How large a source network gets, and the bound that is asked for before any work begins.

Up to :data:`MOST_READ` sensors, a network reads every one of them. Up to :data:`WIDE_READ` it does
so through all of its bins; from there bins fall with the square of the width, so that the 128th
sensor costs no more than the 64th, and the 129th about as much. A wider plant would make the first
layers grow with the square of its width: at 450 sensors the network no longer fits into a file that
is loaded again, and its training takes many minutes. There the network reads the :data:`WIDE_READ`
sensors by which the source's trees gain most on the training runs, through fewer bins; trees and
logistic regression read all sensors as ever.

What was measured on the way: docs/decisions/0025-wide-files.md.
"""

from __future__ import annotations

import numpy as np

from faultxfer.config import NetworkOptions
from faultxfer.errors import ConfigError
from faultxfer.network.store import MAX_BYTES

# The widest source that is pretrained; more sensors were not measured.
MOST_SENSORS = 2048
MOST_READ = 128
WIDE_READ, WIDE_BINS = 64, 8
# Readings of synthetic rows. Rows of 128 sensors make half as many.
MOST_READINGS = 10_000_000
_FLOAT = 4
# What a file holds of each layer beside its weights; half of it was the most that was seen.
_BESIDE_WEIGHTS = 8192


def sensors_read(sensors: int) -> int:
    """How many of a plant's sensors its network reads.

    >>> sensors_read(100), sensors_read(640)
    (100, 64)
    """
    return sensors if sensors <= MOST_READ else WIDE_READ


def chosen_sensors(gains: np.ndarray) -> np.ndarray | None:
    """(k,) ascending positions of the sensors that a network reads; None for all of them.

    Args:
        gains: (d,) what the source's trees gained by splits on each sensor.
    """
    count = sensors_read(len(gains))
    if count == len(gains):
        return None
    return np.sort(np.argsort(-gains, kind="stable")[:count])


def fitted_to(options: NetworkOptions, sensors: int) -> NetworkOptions:
    """The options with fewer bins, and synthetic rows, where the plant is wide.

    >>> asked = NetworkOptions()
    >>> [fitted_to(asked, sensors).bins for sensors in (20, 64, 100, 128, 129)]
    [32, 32, 13, 8, 8]
    """
    if sensors <= WIDE_READ:
        return options
    bins = min(options.bins, WIDE_BINS)
    if sensors <= MOST_READ:
        bins = max(bins, int(options.bins * (WIDE_READ / sensors) ** 2))
        return options.model_copy(update={"bins": bins})
    rows = min(options.synthetic_rows, MOST_READINGS // sensors)
    return options.model_copy(update={"bins": bins, "synthetic_rows": rows})


def require_room(sensors: int, options: NetworkOptions, where: str) -> None:
    """The one bound on width and size, before a file is read.

    Args:
        sensors: of the contract.
        options: of the network, as asked for.
        where: the contract, for the message.

    Raises:
        ConfigError: there are more sensors than :data:`MOST_SENSORS`, or the network would not be
            loaded again from its file.
    """
    if sensors > MOST_SENSORS:
        raise ConfigError(
            f"The contract has more sensors than the {MOST_SENSORS} of the widest source model",
            received={"sensors": sensors},
            where=where,
            remedy="Move sensors from `sensors` to `ignore`: where a signal comes as minimum, "
            "maximum, mean and deviation, one or two of them are often enough",
        )
    room = file_bytes(sensors, options)
    if room > MAX_BYTES:
        raise ConfigError(
            "The source network would be larger than any that is loaded again from its file",
            received={"sensors": sensors, "bytes": room, "most": MAX_BYTES},
            where=where,
            remedy="Ask for fewer `bins` or `members`, or for smaller `hidden` layers, under "
            "`network` in the file of --config",
        )


def file_bytes(sensors: int, options: NetworkOptions) -> int:
    """The most bytes that the file of a source network takes."""
    fitted, read = fitted_to(options, sensors), sensors_read(sensors)
    encoded = read * (1 + fitted.bins)
    weights = (sensors + 1) * read + (read + 1) * read * fitted.bins
    entering, layers = encoded, 0
    for units in fitted.hidden:
        weights += fitted.members * (entering + 1) * units
        entering = units
        layers += 2 * fitted.members
    weights += fitted.members * (entering + read + 2)
    layers += 2 * fitted.members + 10
    return _FLOAT * weights + _BESIDE_WEIGHTS * layers
