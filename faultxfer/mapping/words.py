"""Words that plants name sensors with, in seven languages, by what they mean.

German umlauts stand as two letters, other accents are left out. A word is found as a whole, or as a
part of a longer one that is written together. Nothing here belongs to one plant; it is what stands
in instrument lists, and the letters are those of ISA-5.1.
"""

from __future__ import annotations

# What is measured. A unit says the same, see ``quantities.py``.
QUANTITIES: dict[str, str] = {
    "pressure": "pressure press pres prs druck pression presion pressione pressao druk",
    "temperature": "temperature temperatur temperatura temperatuur temp tmp thermocouple thermo",
    "flow": "flow durchfluss debit caudal portata vazao volumenstrom massenstrom durchsatz "
    "stroming flujo flowrate",
    "level": "level fuellstand fullstand niveau nivel livello pegel stand",
    "speed": "speed velocity rpm drehzahl geschwindigkeit vitesse velocidad velocita toerental "
    "regime giri rotacao snelheid velocidade",
    "current": "current amps ampere strom courant corriente corrente stroom intensidad intensite",
    "voltage": "voltage volt spannung tension tensione tensao spanning voltaje",
    "power": "power leistung puissance potencia potenza vermogen load_power wirkleistung",
    "energy": "energy energie energia",
    "vibration": "vibration vib vibr schwingung vibracion vibrazione vibracao trilling vibrations "
    "acceleration accelerometer beschleunigung accel",
    "torque": "torque drehmoment couple par coppia koppel",
    "position": "position pos stellung posicion posizione posicao hub opening apertura "
    "ouverture oeffnung",
    "angle": "angle winkel angulo angolo hoek",
    "frequency": "frequency freq frequenz frequence frecuencia frequenza",
    "humidity": "humidity feuchte humidite humedad umidita umidade vochtigheid feuchtigkeit",
    "force": "force kraft fuerza forza kracht",
    "density": "density dichte densite densidad densita dichtheid",
    "conductivity": "conductivity leitfaehigkeit conductivite conductividad",
    "efficiency": "efficiency wirkungsgrad rendement eficiencia rendimiento efficienza",
    "capacity": "capacity kapazitaet capacite capacidad capacita auslastung",
    "viscosity": "viscosity viskositaet viscosite viscosidad",
    "ph": "ph",
    "wear": "wear verschleiss usure desgaste usura slijtage",
}

# Where, of what, and in which state.
PLACES: dict[str, str] = {
    "inlet": "inlet in suction intake entry eintritt einlass ansaug saug saugseite zulauf "
    "eingang entree aspiration admission entrada succion aspiracion ingresso aspirazione zuig "
    "inlaat",
    "outlet": "outlet out discharge exit delivery austritt auslass druckseite ablauf ausgang "
    "sortie refoulement salida descarga impulsion uscita mandata pers uitlaat saida enddruck",
    "supply": "supply vorlauf aller aanvoer ida suministro",
    "return": "return ruecklauf retour retorno ritorno",
    "bearing": "bearing brg lager palier cojinete rodamiento cuscinetto mancal roulement",
    "motor": "motor mot moteur motore antrieb entrainement accionamiento azionamento",
    "winding": "winding wicklung enroulement bobinage devanado bobinado avvolgimento wikkeling "
    "stator",
    "gearbox": "gearbox gear getriebe multiplicateur reducteur reductor riduttore engranaje "
    "multiplicadora moltiplicatore tandwielkast",
    "generator": "generator generatrice generador generatore alternateur",
    "rotor": "rotor laeufer",
    "pump": "pump pumpe pompe bomba pompa pomp",
    "fan": "fan ventilator geblaese ventilateur ventilador ventilatore",
    "compressor": "compressor verdichter verdichtung compresseur compresor compressore kompressor "
    "stage stufe etage airend",
    "turbine": "turbine turbina",
    "oil": "oil oel huile aceite olio oleo olie lube",
    "water": "water wasser eau agua acqua wtr",
    "air": "air luft aria aire lucht",
    "gas": "gas gaz abgas flue",
    "steam": "steam dampf vapeur vapor vapore stoom",
    "feed": "feed speise alimentation alimentacion alimentazione feedwater speisewasser voeding",
    "cooling": "cooling coolant kuehl refroidissement refrigeracion raffreddamento koel",
    "chilled": "chilled chw kaltwasser glacee helada fria gelata refrigerata",
    "tower": "tower turm tour torre condenserwater cw kuehlturm",
    "evaporator": "evaporator evap verdampfer evaporateur evaporador evaporatore",
    "condenser": "condenser cond kondensator verfluessiger condenseur condensador condensatore",
    "ambient": "ambient outdoor outside umgebung aussen exterieur exterieure ambiante exterior "
    "ambiente esterna esterno buiten",
    "nacelle": "nacelle gondel gondola",
    "wind": "wind vent viento vento",
    "blade": "blade pitch pale fluegel blatt pala blad",
    "tank": "tank behaelter reservoir deposito tanque serbatoio vessel kessel",
    "valve": "valve ventil vanne valvula valvola klep damper klappe clapet compuerta serranda",
    "hydraulic": "hydraulic hydraulik hydraulique hidraulica hidraulico idraulica",
    "grid": "grid netz reseau rete netspanning mains",
    "active": "active wirk activa attiva",
    "reactive": "reactive blind reactiva reattiva",
    "difference": "difference differential diff dif delta dp differenz differenzdruck differentiel "
    "diferencial differenziale",
    "filter": "filter filtre filtro",
    "shaft": "shaft welle arbre eje albero",
    "process": "process prozess procede proceso processo",
    "tool": "tool werkzeug outil herramienta utensile",
    "volume": "volume volumen volumique volumetrico",
    "drive_end": "drend antriebsseite",
    "other_end": "nde",
    "yaw": "yaw azimut gier lacet",
    "mean": "mean avg average mittel moyenne media gemiddelde",
    "least": "min minimum least",
    "most": "max maximum peak",
    "deviation": "std sd deviation rms",
    "slope": "slope gradient",
    "level_high": "high hoch haut alto",
    "level_low": "low tief niedrig bas bajo basso",
}

# Of these a sensor has one at most, so two different ones speak against each other.
OPPOSITES = (
    frozenset({"inlet", "outlet"}),
    frozenset({"drive_end", "other_end"}),
    frozenset({"mean", "least", "most", "deviation", "slope"}),
    frozenset({"active", "reactive"}),
    frozenset({"level_high", "level_low"}),
)

# First letters of instrument tags: PT-101 is a pressure transmitter.
ISA_FIRST = {
    "P": "pressure", "T": "temperature", "F": "flow", "L": "level", "S": "speed", "I": "current",
    "E": "voltage", "J": "power", "V": "vibration", "Z": "position", "D": "density",
}  # fmt: skip
ISA_LATER = frozenset("TICERSAYX")

# Single letters as formula signs, where a name begins with one: p_in, t_oil, n_motor.
SIGNS = {"p": "pressure", "t": "temperature", "n": "speed", "u": "voltage", "q": "flow",
         "i": "current"}  # fmt: skip

# Words that say nothing: every column of a logger may have them.
EMPTY = frozenset(
    (
        *("pv", "sensor", "value", "val", "measured", "actual", "ist", "wert", "messwert"),
        *("mesure", "valor", "valore", "meting", "tag", "ai", "chan", "channel", "signal", "raw"),
        *("the", "of", "a", "an", "de", "la", "le", "du", "der", "die", "das", "el", "di", "da"),
        "del",
    )
)


def _by_word(table: dict[str, str]) -> dict[str, str]:
    return {word: meaning for meaning, words in table.items() for word in words.split()}


WORDS = _by_word(PLACES) | _by_word(QUANTITIES)
