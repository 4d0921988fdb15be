"""A grammar of our own: dates, times, prices and short scenes, in English and in Spanish."""

from __future__ import annotations

import random
from typing import NamedTuple

Pair = tuple[str, str]


class Noun(NamedTuple):
    """A thing in both languages, with its Spanish gender and its plurals."""

    english: str
    spanish: str
    feminine: bool
    english_plural: str = ""
    spanish_plural: str = ""


UNITS = [
    ("one", "uno"), ("two", "dos"), ("three", "tres"), ("four", "cuatro"), ("five", "cinco"),
    ("six", "seis"), ("seven", "siete"), ("eight", "ocho"), ("nine", "nueve"), ("ten", "diez"),
    ("eleven", "once"), ("twelve", "doce"), ("thirteen", "trece"), ("fourteen", "catorce"),
    ("fifteen", "quince"), ("sixteen", "dieciséis"), ("seventeen", "diecisiete"),
    ("eighteen", "dieciocho"), ("nineteen", "diecinueve"), ("twenty", "veinte"),
    ("twenty-one", "veintiuno"), ("twenty-two", "veintidós"), ("twenty-three", "veintitrés"),
    ("twenty-four", "veinticuatro"), ("twenty-five", "veinticinco"), ("twenty-six", "veintiséis"),
    ("twenty-seven", "veintisiete"), ("twenty-eight", "veintiocho"),
]  # fmt: skip
TENS = [("thirty", "treinta"), ("forty", "cuarenta"), ("fifty", "cincuenta"), ("sixty", "sesenta"),
        ("seventy", "setenta"), ("eighty", "ochenta"), ("ninety", "noventa")]  # fmt: skip
ORDINALS = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
    "eighteenth", "nineteenth", "twentieth", "twenty-first", "twenty-second", "twenty-third",
    "twenty-fourth", "twenty-fifth", "twenty-sixth", "twenty-seventh", "twenty-eighth",
]  # fmt: skip
WEEKDAYS = [
    ("Monday", "lunes"), ("Tuesday", "martes"), ("Wednesday", "miércoles"), ("Thursday", "jueves"),
    ("Friday", "viernes"), ("Saturday", "sábado"), ("Sunday", "domingo"),
]  # fmt: skip
MONTHS = [
    ("January", "enero"), ("February", "febrero"), ("March", "marzo"), ("April", "abril"),
    ("May", "mayo"), ("June", "junio"), ("July", "julio"), ("August", "agosto"),
    ("September", "septiembre"), ("October", "octubre"), ("November", "noviembre"),
    ("December", "diciembre"),
]  # fmt: skip
EVENTS = [
    ("the meeting", "la reunión"), ("the concert", "el concierto"), ("the exam", "el examen"),
    ("the party", "la fiesta"), ("the wedding", "la boda"), ("the match", "el partido"),
    ("the lecture", "la conferencia"), ("the interview", "la entrevista"), ("the race", "la carrera"),
    ("the auction", "la subasta"),
]  # fmt: skip
DEPARTURES = [
    ("the train", "el tren"), ("the bus", "el autobús"), ("the ferry", "el ferri"),
    ("the plane", "el avión"), ("the ship", "el barco"), ("the tram", "el tranvía"),
]  # fmt: skip
CITIES = [
    ("Madrid", "Madrid"), ("London", "Londres"), ("Seville", "Sevilla"), ("Lisbon", "Lisboa"),
    ("Geneva", "Ginebra"), ("Vienna", "Viena"), ("Prague", "Praga"), ("Athens", "Atenas"),
]  # fmt: skip
PARTS_OF_DAY = [("in the morning", "de la mañana"), ("in the afternoon", "de la tarde"),
                ("at night", "de la noche")]  # fmt: skip
MINUTES = [
    ("{} o'clock", "{} en punto"), ("five past {}", "{} y cinco"), ("ten past {}", "{} y diez"),
    ("a quarter past {}", "{} y cuarto"), ("twenty past {}", "{} y veinte"),
    ("half past {}", "{} y media"), ("twenty to {}", "{} menos veinte"),
    ("a quarter to {}", "{} menos cuarto"), ("ten to {}", "{} menos diez"),
]  # fmt: skip
GOODS = [
    Noun("apple", "manzana", True, "apples", "manzanas"),
    Noun("lemon", "limón", False, "lemons", "limones"),
    Noun("shirt", "camisa", True, "shirts", "camisas"),
    Noun("hat", "sombrero", False, "hats", "sombreros"),
    Noun("notebook", "cuaderno", False, "notebooks", "cuadernos"),
    Noun("chair", "silla", True, "chairs", "sillas"),
    Noun("cup", "taza", True, "cups", "tazas"),
    Noun("pencil", "lápiz", False, "pencils", "lápices"),
    Noun("blanket", "manta", True, "blankets", "mantas"),
    Noun("clock", "reloj", False, "clocks", "relojes"),
]
COLOURS = [
    ("red", "rojo", "roja"), ("white", "blanco", "blanca"), ("black", "negro", "negra"),
    ("yellow", "amarillo", "amarilla"), ("green", "verde", "verde"), ("blue", "azul", "azul"),
    ("grey", "gris", "gris"),
]  # fmt: skip
PEOPLE = [
    Noun("boy", "niño", False), Noun("girl", "niña", True), Noun("farmer", "granjero", False),
    Noun("teacher", "maestra", True), Noun("painter", "pintor", False),
    Noun("nurse", "enfermera", True), Noun("baker", "panadero", False),
    Noun("lawyer", "abogada", True), Noun("neighbour", "vecino", False),
    Noun("singer", "cantante", True),
]  # fmt: skip
MOODS = [
    ("tired", "cansado", "cansada"), ("quiet", "callado", "callada"), ("tall", "alto", "alta"),
    ("happy", "feliz", "feliz"), ("serious", "serio", "seria"), ("young", "joven", "joven"),
]  # fmt: skip
VERBS = [
    ("buys", "compra"), ("carries", "lleva"), ("paints", "pinta"), ("looks for", "busca"),
    ("cleans", "limpia"), ("sells", "vende"), ("repairs", "repara"), ("forgets", "olvida"),
]  # fmt: skip
PLACES = [
    ("in the garden", "en el jardín"), ("at the station", "en la estación"),
    ("in the kitchen", "en la cocina"), ("near the river", "cerca del río"),
    ("behind the church", "detrás de la iglesia"), ("on the beach", "en la playa"),
    ("in front of the museum", "delante del museo"), ("under the bridge", "debajo del puente"),
    ("at the market", "en el mercado"),
]  # fmt: skip
JOINTS = [(", and", ", y"), (", but", ", pero"), (" while", " mientras"), (" because", " porque")]


def number(value: int) -> Pair:
    """1 to 99, as it stands before a masculine noun."""
    if value <= len(UNITS):
        english, spanish = UNITS[value - 1]
    elif value < 30:
        english, spanish = "twenty-nine", "veintinueve"
    else:
        english, spanish = TENS[value // 10 - 3]
        if value % 10:
            unit_english, unit_spanish = UNITS[value % 10 - 1]
            english, spanish = f"{english}-{unit_english}", f"{spanish} y {unit_spanish}"
    if spanish == "veintiuno":
        spanish = "veintiún"
    elif spanish.endswith("uno"):
        spanish = spanish[:-1]
    return english, spanish


def _date(rng: random.Random) -> Pair:
    event, day, month = rng.choice(EVENTS), rng.choice(WEEKDAYS), rng.choice(MONTHS)
    value = rng.randint(1, len(ORDINALS))
    count = "uno" if value == 1 else UNITS[value - 1][1]
    english = f"{event[0]} is on {day[0]}, the {ORDINALS[value - 1]} of {month[0]}"
    return english, f"{event[1]} es el {day[1]} {count} de {month[1]}"


def _time(rng: random.Random) -> Pair:
    what, city, part = rng.choice(DEPARTURES), rng.choice(CITIES), rng.choice(PARTS_OF_DAY)
    hour, minutes = rng.randint(1, 12), rng.choice(MINUTES)
    spoken = "a la una" if hour == 1 else f"a las {UNITS[hour - 1][1]}"
    english = f"{what[0]} to {city[0]} leaves at {minutes[0].format(UNITS[hour - 1][0])} {part[0]}"
    return english, f"{what[1]} a {city[1]} sale {minutes[1].format(spoken)} {part[1]}"


def _price(rng: random.Random) -> Pair:
    goods, colour = rng.choice(GOODS), rng.choice(COLOURS)
    count, euros, cents = number(rng.randint(2, 20)), number(rng.randint(2, 99)), rng.randint(2, 99)
    english = f"{count[0]} {colour[0]} {goods.english_plural} cost {euros[0]} euros"
    spanish = f"{count[1]} {goods.spanish_plural} {_plural(colour[1 + goods.feminine])}"
    spanish += f" cuestan {euros[1]} euros"
    return f"{english} and {number(cents)[0]} cents", f"{spanish} con {number(cents)[1]} céntimos"


def _scene(rng: random.Random) -> Pair:
    who, mood, verb = rng.choice(PEOPLE), rng.choice(MOODS), rng.choice(VERBS)
    what, colour, place = rng.choice(GOODS), rng.choice(COLOURS), rng.choice(PLACES)
    article, thing = ("una" if noun.feminine else "un" for noun in (who, what))
    english = f"the {mood[0]} {who.english} {verb[0]} a {colour[0]} {what.english} {place[0]}"
    subject = "la" if article == "una" else "el"
    spanish = f"{subject} {who.spanish} {mood[1 + who.feminine]} {verb[1]} {thing} {what.spanish}"
    return english, f"{spanish} {colour[1 + what.feminine]} {place[1]}"


def _plural(adjective: str) -> str:
    return adjective + ("s" if adjective[-1] in "aeo" else "es")


def sentence(rng: random.Random) -> Pair:
    """One sentence in English and in Spanish: a clause, or two that are joined."""
    clauses = [_date, _time, _price, _scene]
    english, spanish = rng.choice(clauses)(rng)
    if rng.random() < 0.5:
        joint = rng.choice(JOINTS)
        more = rng.choice(clauses)(rng)
        english, spanish = f"{english}{joint[0]} {more[0]}", f"{spanish}{joint[1]} {more[1]}"
    return f"{english[0].upper()}{english[1:]}.", f"{spanish[0].upper()}{spanish[1:]}."


def corpus(size: int, seed: int) -> list[Pair]:
    """``size`` pairs, no two with the same English or the same Spanish."""
    rng = random.Random(seed)  # noqa: S311 - a corpus is no secret
    pairs: dict[str, str] = {}
    taken: set[str] = set()
    while len(pairs) < size:
        english, spanish = sentence(rng)
        if english not in pairs and spanish not in taken:
            pairs[english] = spanish
            taken.add(spanish)
    return list(pairs.items())
