"""Families by which the mapper was tuned: it may look at these, and at no others made up here."""

from __future__ import annotations

import numpy as np
from families import Columns, Family, Machine, Written, _degf, _times


def _press(m: Machine, fault: np.ndarray) -> Columns:
    load, air = m.load(), m.air(23.0)
    force = 3200 * m.size * load
    system = 95 + 130 * load + 3 * m.slow(0, 1)
    pilot = m.slow(38, 1.6)
    oil = m.lagged(air + 17 + 14 * load + 6 * fault, 0.1)
    heat = m.lagged(air + 24 + 30 * load**2, 0.15)
    return {
        "ram_force": m.read(force, 25.0, 10.0),
        "system_pressure": m.read(system, 1.2, 1.0),
        "pilot_pressure": m.read(pilot, 0.3, 0.3),
        "pump_flow": m.read(62 * m.size * (0.4 + 0.6 * load) * (1 - 0.1 * fault), 0.8, 0.5),
        "oil_temperature": m.read(oil, 0.3, 0.4),
        "tank_level": m.read(m.slow(71, 4.0), 0.4),
        "motor_current": m.read(40 + 95 * load * m.size, 2.0, 1.0),
        "motor_temperature": m.read(heat, 0.6, 0.5),
        "column_strain_left": m.read(210 * load, 3.0, 2.0),
        "column_strain_right": m.read(210 * load, 3.0, 2.0),
        "stroke_rate": m.read(9 + 14 * load, 0.2),
    }


_PRESS = Family(
    "presses",
    _press,
    {
        "ram_force": "kN", "system_pressure": "bar", "pilot_pressure": "bar", "pump_flow": "l/min",
        "oil_temperature": "degC", "tank_level": "%", "motor_current": "A",
        "motor_temperature": "degC", "column_strain_left": "", "column_strain_right": "",
        "stroke_rate": "1/min",
    },
    {
        "ram_force": Written("PL4.NF-11.MEAS", "kN", digits=0),
        "system_pressure": Written("PL4.NP-12.MEAS", "psi", _times(14.503774), digits=0),
        "pilot_pressure": Written("PL4.NP-13.MEAS", "psi", _times(14.503774), digits=1),
        "pump_flow": Written("PL4.NQ-14.MEAS", "gpm", _times(0.26417205), digits=2),
        "oil_temperature": Written("PL4.NT-15.MEAS", "degF", _degf, digits=1),
        "tank_level": Written("PL4.NL-16.MEAS", "%", digits=1),
        "motor_current": Written("PL4.NI-17.MEAS", "A", digits=1),
        "motor_temperature": Written("PL4.NT-18.MEAS", "degF", _degf, digits=1),
        "column_strain_left": Written("PL4.NX-19.MEAS", "", digits=1),
        "column_strain_right": Written("PL4.NX-20.MEAS", "", digits=1),
        "stroke_rate": Written("PL4.NS-21.MEAS", "1/min", digits=2),
    },
    new={"PL4.NZ-22.MEAS": lambda m: m.slow(220, 40, 0.8)},
    alike=(frozenset({"column_strain_left", "column_strain_right"}),),
    machine="PL4", seed=101,
)  # fmt: skip


def _tower(m: Machine, fault: np.ndarray) -> Columns:
    load, air = m.load(), m.air(21.0)
    wet = air - 5 + m.slow(0, 1.0)
    cold = m.lagged(wet + 3.5 + 2 * load + fault, 0.2)
    hot = cold + 9.5 * load
    speed = 260 + 900 * load
    return {
        "hot_water_temp": m.read(hot, 0.2, 0.2),
        "cold_water_temp": m.read(cold, 0.2, 0.2),
        "wet_bulb_temp": m.read(wet, 0.3, 0.2),
        "air_temp": m.read(air, 0.3, 0.2),
        "fan_speed": m.read(speed, 3.0),
        "fan_power": m.read(30 * m.size * (speed / 1160) ** 3, 0.4, 0.2),
        "gearbox_oil_temp": m.read(m.lagged(air + 18 + 22 * load + 7 * fault, 0.1), 0.4, 0.4),
        "gearbox_vibration": m.read(2.2 + 2.0 * load + 1.8 * fault, 0.15, 0.1),
        "water_flow": m.read(820 * m.size * (0.8 + 0.2 * load), 6.0, 4.0),
        "basin_level": m.read(m.slow(1.35, 0.09), 0.01),
        "conductivity": m.read(m.slow(1650, 130), 8.0, 10.0),
        "fan_current_1": m.read(14 + 44 * load**2, 0.8, 0.5),
        "fan_current_2": m.read(14 + 44 * load**2, 0.8, 0.5),
    }


_TOWER = Family(
    "towers",
    _tower,
    {
        "hot_water_temp": "degC", "cold_water_temp": "degC", "wet_bulb_temp": "degC",
        "air_temp": "degC", "fan_speed": "rpm", "fan_power": "kW", "gearbox_oil_temp": "degC",
        "gearbox_vibration": "mm/s", "water_flow": "m3/h", "basin_level": "m",
        "conductivity": "uS/cm", "fan_current_1": "A", "fan_current_2": "A",
    },
    {
        "hot_water_temp": Written("TR2_temp_acqua_calda", "degC", digits=2),
        "cold_water_temp": Written("TR2_temp_acqua_fredda", "degC", digits=2),
        "wet_bulb_temp": Written("TR2_bulbo_umido", "degC", digits=2),
        "air_temp": Written("TR2_temp_esterna", "degC", digits=2),
        "fan_speed": Written("TR2_giri_ventilatore", "rpm", digits=0),
        "fan_power": Written("TR2_potenza_ventilatore", "W", _times(1000.0), digits=0),
        "gearbox_oil_temp": Written("TR2_temp_olio_riduttore", "degC", digits=1),
        "gearbox_vibration": Written("TR2_vibrazione_riduttore", "in/s", _times(1 / 25.4), digits=4),
        "water_flow": Written("TR2_portata", "l/s", _times(1 / 3.6), digits=2),
        "basin_level": Written("TR2_livello_vasca", "mm", _times(1000.0), digits=0),
        "fan_current_1": Written("TR2_corrente_est", "A", digits=1),
        "fan_current_2": Written("TR2_corrente_ovest", "A", digits=1),
    },
    new={"TR2_ph": lambda m: m.slow(7.8, 0.1)},
    alike=(frozenset({"fan_current_1", "fan_current_2"}),),
    machine="TR2", seed=102,
)  # fmt: skip


def _mill(m: Machine, fault: np.ndarray) -> Columns:
    load, air = m.load(), m.air(25.0)
    power = 1450 * m.size * (0.55 + 0.45 * load)
    bearing = m.lagged(air + 17 + 16 * load + 6 * fault, 0.1)
    feed = 118 * m.size * load
    return {
        "mill_power": m.read(power, 9.0, 5.0),
        "feed_rate": m.read(feed, 1.5, 1.0),
        "water_addition": m.read(0.42 * feed + m.slow(0, 3), 0.6, 0.5),
        "trunnion_temp_feed": m.read(bearing, 0.4, 0.4),
        "trunnion_temp_discharge": m.read(bearing, 0.4, 0.4),
        "lube_pressure": m.read(m.slow(3.1, 0.12), 0.02, 0.02),
        "lube_temp": m.read(m.lagged(air + 14 + 6 * load, 0.1), 0.3, 0.3),
        "pinion_vibration": m.read(3.1 + 1.5 * load + 2 * fault, 0.2, 0.1),
        "cyclone_pressure": m.read(62 + 55 * load, 1.5, 1.0),
        "sump_level": m.read(m.slow(55, 9), 0.8),
        "slurry_density": m.read(1.52 + 0.1 * (load - 0.7) + m.slow(0, 0.02), 0.004),
        "motor_speed": m.read(980 + 15 * (1 - load), 0.6),
    }


_MILL = Family(
    "mills",
    _mill,
    {
        "mill_power": "kW", "feed_rate": "t/h", "water_addition": "m3/h",
        "trunnion_temp_feed": "degC", "trunnion_temp_discharge": "degC", "lube_pressure": "bar",
        "lube_temp": "degC", "pinion_vibration": "mm/s", "cyclone_pressure": "kPa",
        "sump_level": "%", "slurry_density": "", "motor_speed": "rpm",
    },
    {
        "mill_power": Written("40011", "kW", digits=0),
        "feed_rate": Written("40007", "t/h", stored=10.0, digits=0),
        "water_addition": Written("40031", "m3/h", stored=10.0, digits=0),
        "trunnion_temp_feed": Written("40015", "degC", stored=10.0, digits=0),
        "trunnion_temp_discharge": Written("40022", "degC", stored=10.0, digits=0),
        "lube_pressure": Written("40003", "bar", stored=100.0, digits=0),
        "lube_temp": Written("40018", "degC", stored=10.0, digits=0),
        "pinion_vibration": Written("40029", "mm/s", stored=100.0, digits=0),
        "cyclone_pressure": Written("40012", "psi", _times(0.14503774), stored=10.0, digits=0),
        "sump_level": Written("40009", "%", stored=10.0, digits=0),
        "slurry_density": Written("40026", "", stored=1000.0, digits=0),
        "motor_speed": Written("40001", "rpm", digits=0),
    },
    new={"40033": lambda m: m.slow(512, 60, 0.9)},
    alike=(frozenset({"trunnion_temp_feed", "trunnion_temp_discharge"}),),
    machine="mill-3", seed=103,
)  # fmt: skip


TUNING = {one.name: one for one in (_PRESS, _TOWER, _MILL)}
