"""Physics of one centrifugal pump behind a variable-speed drive, without noise or instruments.

The model is a textbook one, small enough to be checked by hand:

* **Pump curve against system curve.** The head is a parabola in flow; the operating point is where
  it meets static head plus friction (Karassik et al., *Pump Handbook*, 4th ed., chapters 2 and 8).
* **Affinity laws.** At another speed the curve scales as flow ~ speed, head ~ speed², power ~
  speed³ (ibid.).
* **Cavitation.** It begins well before the net positive suction head available (NPSHa) falls to
  the required one (NPSHr, where 3 % of the head is lost); see ANSI/HI 9.6.1, *Rotodynamic Pumps:
  Guideline for NPSH Margin*.
* **Vibration** is broadband velocity RMS in mm/s on the bearing housings, the quantity that ISO
  20816-1 (successor of ISO 10816-1) and, for pumps, ISO 10816-7 judge: a healthy pump stays below
  about 3 mm/s. It grows away from the best efficiency point, and independent sources add in
  quadrature.
* **Temperatures** follow losses with a first-order lag.

Constants that no source gives (how much head a worn impeller loses, say) are chosen so that a full
fault is plain and its onset is not. All arrays are (n,) float64, one entry per row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faultxfer.errors import ConfigError

NORMAL = "normal"
FAULT_TYPES = ("cavitation", "bearing_wear", "seal_leak", "impeller_wear")

STEP_MINUTES = 10.0

_DENSITY = 998.0  # kg/m3, water
_GRAVITY = 9.81  # m/s2
_ATMOSPHERE_BAR = 1.013
_MOTOR_VOLTS = 400.0
_MOTOR_EFFICIENCY = 0.93
_MAGNETISING_SHARE = 0.35  # of the rated active current; it flows whatever the load
_BEARING_LAG_MINUTES, _WINDING_LAG_MINUTES = 30.0, 45.0


@dataclass(frozen=True)
class PumpDesign:
    """One machine as built.

    Attributes:
        rated_speed_rpm: speed at which the other ratings hold.
        rated_flow_m3h: flow at the best efficiency point.
        rated_head_m: head at the best efficiency point.
        shutoff_ratio: head at zero flow over rated head.
        efficiency: hydraulic efficiency at the best efficiency point.
        static_head_share: static head of the system over rated head; the rest is friction.
        npsh_required_m: NPSHr at rated speed and flow.
        suction_loss_bar: pressure lost in a clean suction line at rated flow.
        vibration_drive_end, vibration_non_drive_end: healthy velocity RMS in mm/s at rated duty.
        bearing_rise_c, winding_rise_c: rise above ambient at rated duty.
    """

    rated_speed_rpm: float = 1480.0
    rated_flow_m3h: float = 160.0
    rated_head_m: float = 45.0
    shutoff_ratio: float = 1.25
    efficiency: float = 0.76
    static_head_share: float = 0.2
    npsh_required_m: float = 4.5
    suction_loss_bar: float = 0.1
    vibration_drive_end: float = 1.5
    vibration_non_drive_end: float = 1.2
    bearing_rise_c: float = 25.0
    winding_rise_c: float = 45.0


@dataclass(frozen=True)
class Duty:
    """What the plant asks of the pump, row by row.

    Attributes:
        speed_ratio: (n,) speed over rated speed.
        resistance: (n,) friction of the system over the design value; above 1 the valve throttles.
        tank_bar: (n,) gauge pressure of the suction tank.
        fluid_c: (n,) temperature of the liquid.
        ambient_c: (n,) temperature of the hall.
        roughness: (n,) factor on healthy vibration from pipework and process; 1 is calm.
    """

    speed_ratio: np.ndarray
    resistance: np.ndarray
    tank_bar: np.ndarray
    fluid_c: np.ndarray
    ambient_c: np.ndarray
    roughness: np.ndarray


@dataclass(frozen=True)
class Fault:
    """A fault of one type.

    Attributes:
        kind: ``normal`` or one of :data:`FAULT_TYPES`.
        severity: (n,) between 0 (none) and 1 (repair at once).
    """

    kind: str
    severity: np.ndarray

    def __post_init__(self) -> None:
        known = (NORMAL, *FAULT_TYPES)
        if self.kind not in known:
            raise ConfigError(
                "There is no such fault type",
                received={"kind": self.kind},
                remedy=f"Choose one of {', '.join(known)}",
            )

    def of(self, kind: str) -> np.ndarray:
        """(n,) severity of one type: zero where the fault is another one."""
        return self.severity if self.kind == kind else np.zeros_like(self.severity)


@dataclass(frozen=True)
class Hydraulics:
    """Where the pump runs.

    Attributes:
        flow_ratio: (n,) flow through the impeller over rated flow.
        flow_m3h: (n,) flow that reaches the meter behind the seal.
        head_m: (n,) head that the pump adds.
        suction_bar, discharge_bar: (n,) gauge pressures.
        power_kw: (n,) shaft power.
        cavitation: (n,) intensity between 0 (none) and 1 (full).
    """

    flow_ratio: np.ndarray
    flow_m3h: np.ndarray
    head_m: np.ndarray
    suction_bar: np.ndarray
    discharge_bar: np.ndarray
    power_kw: np.ndarray
    cavitation: np.ndarray


def steady_duty(rows: int, *, speed_ratio: float = 1.0) -> Duty:
    """Design duty held for ``rows`` rows, calm and at 20 °C: the reference for checks by hand."""
    one = np.ones(rows)
    return Duty(one * speed_ratio, one, 0.2 * one, 20.0 * one, 20.0 * one, one)


def healthy(rows: int) -> Fault:
    """No fault in any of ``rows`` rows."""
    return Fault(NORMAL, np.zeros(rows))


def sensor_values(design: PumpDesign, duty: Duty, fault: Fault) -> dict[str, np.ndarray]:
    """True value of every sensor, (n,) each, in the engineering units of the contract."""
    state = hydraulics(design, duty, fault)
    drive_end, non_drive_end = vibration(design, duty, fault, state)
    current = motor_current(design, duty, fault, state)
    return {
        "speed_rpm": design.rated_speed_rpm * duty.speed_ratio,
        "flow_m3h": state.flow_m3h,
        "suction_pressure_bar": state.suction_bar,
        "discharge_pressure_bar": state.discharge_bar,
        "motor_current_a": current,
        "vibration_drive_end_mm_s": drive_end,
        "vibration_non_drive_end_mm_s": non_drive_end,
        "bearing_temperature_c": bearing_temperature(design, duty, fault),
        "winding_temperature_c": winding_temperature(design, duty, current),
        "fluid_temperature_c": duty.fluid_c,
    }


def hydraulics(design: PumpDesign, duty: Duty, fault: Fault) -> Hydraulics:
    """Operating point on the pump curve and the system curve.

    With no static head a healthy pump obeys the affinity laws exactly: flow ~ speed, head ~ speed²,
    power ~ speed³. Cavitation is judged at the flow the pump would have without it, then its loss
    of head moves the point once.
    """
    leak = 0.09 * fault.of("seal_leak")
    worn = 1 - 0.13 * fault.of("impeller_wear")
    wanted = _flow_ratio(design, duty, leak, worn)
    intensity = _cavitation(design, duty, fault, wanted)
    curve = worn * (1 - 0.03 * intensity)  # NPSHr is where 3 % of the head is lost
    ratio = _flow_ratio(design, duty, leak, curve)
    head = design.rated_head_m * curve * _curve_height(design, duty.speed_ratio, ratio)
    suction = suction_pressure(design, duty, fault, ratio)
    efficiency = _efficiency(design, duty.speed_ratio, ratio) * (
        1 - 0.05 * fault.of("impeller_wear")
    )
    flow = design.rated_flow_m3h * ratio
    return Hydraulics(
        flow_ratio=ratio,
        flow_m3h=flow * (1 - leak),
        head_m=head,
        suction_bar=suction,
        discharge_bar=suction + _bar(head),
        power_kw=_DENSITY * _GRAVITY * flow / 3600 * head / efficiency / 1000,
        cavitation=intensity,
    )


def suction_pressure(
    design: PumpDesign, duty: Duty, fault: Fault, flow_ratio: np.ndarray
) -> np.ndarray:
    """(n,) gauge pressure at the inlet in bar; a clogging strainer makes the pump cavitate."""
    strainer = 0.55 * fault.of("cavitation")
    return np.asarray(duty.tank_bar - (design.suction_loss_bar + strainer) * flow_ratio**2)


def npsh_available(suction_bar: np.ndarray, fluid_c: np.ndarray) -> np.ndarray:
    """(n,) metres of liquid above the vapour pressure at the inlet.

    Vapour pressure of water by the Magnus formula (WMO-No. 8, annex 4.B).
    """
    vapour_bar = 0.0061094 * np.exp(17.625 * fluid_c / (fluid_c + 243.04))
    return np.asarray((_ATMOSPHERE_BAR + suction_bar - vapour_bar) / _bar(1.0))


def npsh_required(
    design: PumpDesign, speed_ratio: np.ndarray, flow_ratio: np.ndarray
) -> np.ndarray:
    """(n,) metres; grows with the squares of speed and flow."""
    return np.asarray(design.npsh_required_m * (0.4 * speed_ratio**2 + 0.6 * flow_ratio**2))


def vibration(
    design: PumpDesign, duty: Duty, fault: Fault, state: Hydraulics
) -> tuple[np.ndarray, np.ndarray]:
    """Velocity RMS in mm/s at the drive end and the other end, (n,) each.

    The forces of unbalance and flow grow with the square of speed; flow away from the best
    efficiency point adds to them.
    """
    off_best = state.flow_ratio / duty.speed_ratio - 1
    calm = duty.roughness * duty.speed_ratio**2 * (1 + 3.0 * off_best**2)
    force = duty.speed_ratio**2
    bearing = fault.of("bearing_wear") * force
    impeller = fault.of("impeller_wear") * force
    seal = fault.of("seal_leak") * force
    drive_end = _quadrature(
        design.vibration_drive_end * calm,
        4.2 * bearing,
        1.6 * impeller,
        2.0 * state.cavitation,
    )
    non_drive_end = _quadrature(
        design.vibration_non_drive_end * calm,
        1.3 * bearing,
        1.9 * impeller,
        2.4 * state.cavitation,
        1.4 * seal,
    )
    return drive_end, non_drive_end


def motor_current(design: PumpDesign, duty: Duty, fault: Fault, state: Hydraulics) -> np.ndarray:
    """(n,) ampere of a three-phase motor on a constant V/f drive.

    Active and magnetising part add in quadrature.
    """
    power = state.power_kw * (1 + 0.03 * fault.of("bearing_wear") + 0.02 * fault.of("seal_leak"))
    active = power * 1000 / (np.sqrt(3) * _MOTOR_VOLTS * duty.speed_ratio * _MOTOR_EFFICIENCY)
    return _quadrature(active, np.full_like(active, _MAGNETISING_SHARE * rated_current(design)))


def rated_current(design: PumpDesign) -> float:
    """Active current in ampere at the best efficiency point and rated speed."""
    power = (
        _DENSITY * _GRAVITY * design.rated_flow_m3h / 3600 * design.rated_head_m / design.efficiency
    )
    return float(power / (np.sqrt(3) * _MOTOR_VOLTS * _MOTOR_EFFICIENCY))


def bearing_temperature(design: PumpDesign, duty: Duty, fault: Fault) -> np.ndarray:
    """(n,) °C: ambient, friction at speed, heat of the liquid, and the fault's own heat."""
    rise = design.bearing_rise_c * duty.speed_ratio**1.5 + 0.15 * (duty.fluid_c - duty.ambient_c)
    heat = 16.0 * fault.of("bearing_wear") + 7.0 * fault.of("seal_leak")
    return np.asarray(duty.ambient_c + lagged(rise + heat, _BEARING_LAG_MINUTES))


def winding_temperature(design: PumpDesign, duty: Duty, current: np.ndarray) -> np.ndarray:
    """(n,) °C: copper losses go with the square of the current."""
    load = current / rated_current(design)
    return np.asarray(
        duty.ambient_c + lagged(design.winding_rise_c * load**2, _WINDING_LAG_MINUTES)
    )


def lagged(values: np.ndarray, minutes: float) -> np.ndarray:
    """(n,) values behind a first-order lag with that time constant, at rest in the first row."""
    keep = float(np.exp(-STEP_MINUTES / minutes))
    return smoothed(values, keep, start=float(values[0]))


def smoothed(values: np.ndarray, keep: float, start: float = 0.0) -> np.ndarray:
    """(n,) ``y[t] = keep * y[t-1] + (1 - keep) * x[t]`` with ``y[-1] = start``."""
    out = np.empty_like(values)
    last = start
    for row, value in enumerate(values.tolist()):
        last = keep * last + (1 - keep) * value
        out[row] = last
    return out


def _flow_ratio(design: PumpDesign, duty: Duty, leak: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """(n,) flow through the impeller over rated flow, where pump curve and system curve meet."""
    drop = curve * (design.shutoff_ratio - 1)
    friction = (1 - design.static_head_share) * duty.resistance * (1 - leak) ** 2
    lift = curve * design.shutoff_ratio * duty.speed_ratio**2 - design.static_head_share
    if (lift <= 0).any():
        raise ConfigError(
            "At this speed the pump does not overcome the static head",
            received={"lowest speed_ratio": float(duty.speed_ratio.min())},
            remedy="Raise the speed, or lower static_head_share",
        )
    return np.asarray(np.sqrt(lift / (drop + friction)))


def _curve_height(
    design: PumpDesign, speed_ratio: np.ndarray, flow_ratio: np.ndarray
) -> np.ndarray:
    """(n,) head over rated head on the curve of a new pump."""
    return np.asarray(
        design.shutoff_ratio * speed_ratio**2 - (design.shutoff_ratio - 1) * flow_ratio**2
    )


def _efficiency(design: PumpDesign, speed_ratio: np.ndarray, flow_ratio: np.ndarray) -> np.ndarray:
    """(n,) efficiency: highest where flow over speed is the rated one."""
    return np.asarray(design.efficiency * (1 - 0.7 * (flow_ratio / speed_ratio - 1) ** 2))


def _cavitation(design: PumpDesign, duty: Duty, fault: Fault, flow_ratio: np.ndarray) -> np.ndarray:
    """(n,) intensity: begins where NPSHa is below twice NPSHr, full where they are equal."""
    available = npsh_available(suction_pressure(design, duty, fault, flow_ratio), duty.fluid_c)
    return np.asarray(
        np.clip(2 - available / npsh_required(design, duty.speed_ratio, flow_ratio), 0, 1)
    )


def _bar(head_m: np.ndarray | float) -> np.ndarray:
    return np.asarray(_DENSITY * _GRAVITY * np.asarray(head_m) / 1e5)


def _quadrature(*parts: np.ndarray) -> np.ndarray:
    """(n,) RMS sum of independent sources."""
    return np.asarray(np.sqrt(sum(part**2 for part in parts)))
