#!/usr/bin/env python3
"""Makes the administrative catalogues of Viet Nam from the data of `vietnamadminunits` 1.0.4.

    python3 -m venv venv && venv/bin/pip install --no-deps vietnamadminunits==1.0.4
    python3 assets/regions/make.py venv/lib/python3*/site-packages/vietnamadminunits

Only the package's data files are read; none of its code runs, because its converter sends street
addresses to an online map service. The standard library is all this script needs.

Two catalogues are written, and the key everywhere is (catalogue, code): the reform of 1/7/2025
gave old codes to other places, so a bare code means nothing.

    2025-07   today's 34 provinces and 3,321 wards; no districts
    2025-03   the last list before the reform: 63 provinces, 696 districts, 10,035 wards

Tables are UTF-8 (NFC), tab-separated, without a header, sorted by the first column. Running the
script again gives the same bytes. Every count is compared with the published one; a difference
ends the script with status 1 before anything is written.
"""

import json
import sqlite3
import sys
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent

WARD_KINDS = {"Phường": "ward", "Xã": "commune", "Đặc khu": "special_zone", "Thị trấn": "township"}
PROVINCE_KINDS = {"Thành phố": "city", "Tỉnh": "province"}
DISTRICT_KINDS = {
    "Quận": "urban_district",
    "Huyện": "rural_district",
    "Thành phố": "city",
    "Thị xã": "town",
}

# Resolution 30/2026/QH16, in force since 30/4/2026; the package is older.
RENAMED_PROVINCES = {("75", "Tỉnh Đồng Nai"): "Thành phố Đồng Nai"}

# The counts as they are published (decision 19/2025/QĐ-TTg and the lists before it); the split of
# old wards and the "column of kinds" are the package's own, counted on 1.0.4 (see split_kind).
EXPECTED = {
    "today: provinces": 34,
    "today: provinces that are cities": 7,
    "today: wards": 3321,
    "today: commune": 2621,
    "today: ward": 687,
    "today: special_zone": 13,
    "today, column of kinds: commune": 2621,
    "today, column of kinds: ward": 687,
    "today, column of kinds: special_zone": 13,
    "today, column of kinds: wrong": 4,
    "old: provinces": 63,
    "old: districts": 696,
    "old: rural_district": 508,
    "old: city": 87,
    "old: town": 52,
    "old: urban_district": 49,
    "old: wards": 10035,
    "old: commune": 7692,
    "old: ward": 1726,
    "old: township": 617,
    "old, column of kinds: commune": 7695,
    "old, column of kinds: ward": 1724,
    "old, column of kinds: township": 616,
    "old, column of kinds: wrong": 3,
    "old: districts without wards": 5,
    "map: old units": 10040,
    "map: to one new ward": 9569,
    "map: divided": 471,
    "map: divided over 2": 397,
    "map: divided over 3": 58,
    "map: divided over 4": 15,
    "map: divided over 5": 1,
    "map: new wards reached": 3321,
    "map: provinces": 63,
}


def main() -> None:
    """Reads, checks and writes; nothing is written when a check fails."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    data = Path(sys.argv[1]) / "data"
    database = sqlite3.connect(f"file:{data / 'dataset.db'}?mode=ro", uri=True)
    converter = json.loads((data / "converter_2025.json").read_text(encoding="utf-8"))

    today, today_keys = read_today(database)
    old, old_keys = read_old(database)
    mapping = read_mapping(converter, today_keys["wards"], old_keys["units"])
    provinces = read_province_mapping(converter, today_keys["provinces"], old_keys["provinces"])
    check_same_province(mapping, provinces, today, old)

    tables = {
        "2025-07-provinces.tsv": today["provinces"],
        "2025-07-wards.tsv": today["wards"],
        "2025-03-provinces.tsv": old["provinces"],
        "2025-03-districts.tsv": old["districts"],
        "2025-03-wards.tsv": old["wards"],
        "2025-03-to-2025-07-provinces.tsv": provinces,
        "2025-03-to-2025-07-wards.tsv": mapping,
    }
    for name, rows in tables.items():
        check_text(name, rows)
    report(count(today, old, mapping, provinces))
    for name, rows in tables.items():
        text = "".join("\t".join(row) + "\n" for row in sorted(rows))
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")


def split_kind(name: str, kinds: dict) -> tuple:
    """(full name, kind), both after the word that the name begins with.

    The package's own column of kinds contradicts the name in seven rows (`Phường 5` of Phú Nhuận is
    there a xã); the statistics office agrees with the names. A few names have a capital too many
    (`Thị Trấn Ái Tử`), so the word is written as it is everywhere else.
    """
    for word, kind in kinds.items():
        if name.lower().startswith(word.lower() + " "):
            return word + name[len(word) :], kind
    raise AssertionError(name)


def read_today(database):
    """Rows of catalogue 2025-07, and the package's own keys to their codes.

    Keys are joined exactly as stored: 16 of them keep their accents because two wards of one
    province would otherwise have the same key.
    """
    provinces, wards, province_keys, ward_keys, kinds = {}, [], {}, {}, []
    for name, ward, kind, province_code, ward_code, province_key, ward_key in database.execute(
        "SELECT province, ward, wardType, provinceCode, wardCode, provinceKey, wardKey"
        " FROM admin_units"
    ):
        name = RENAMED_PROVINCES.get((province_code, name), name)
        provinces[province_code] = (province_code, *split_kind(name, PROVINCE_KINDS))
        province_keys[province_key] = province_code
        wards.append((ward_code, *split_kind(ward, WARD_KINDS), province_code))
        kinds.append(WARD_KINDS[kind])
        assert (province_key, ward_key) not in ward_keys
        ward_keys[province_key, ward_key] = ward_code
    rows = {"provinces": list(provinces.values()), "wards": wards, "column of kinds": kinds}
    return rows, {"provinces": province_keys, "wards": ward_keys}


def read_old(database):
    """Rows of catalogue 2025-03, and the package's own keys to their codes.

    Five island districts had no wards; in the mapping their three-digit district code stands where
    the others have a five-digit ward code.
    """
    provinces, districts, wards, province_keys, unit_keys, kinds = {}, {}, [], {}, {}, []
    for row in database.execute(
        "SELECT province, district, ward, wardType, provinceCode, districtCode, wardCode,"
        " provinceKey, districtKey, wardKey FROM admin_units_legacy"
    ):
        (name, district, ward, ward_kind, province_code, district_code, ward_code) = row[:7]
        (province_key, district_key, ward_key) = row[7:]
        provinces[province_code] = (province_code, *split_kind(name, PROVINCE_KINDS))
        province_keys[province_key] = province_code
        named = split_kind(district, DISTRICT_KINDS)
        districts[district_code] = (district_code, *named, province_code)
        key = f"{province_key}_{district_key}_{ward_key or ''}"
        assert key not in unit_keys
        unit_keys[key] = ward_code or district_code
        if ward is not None:
            wards.append((ward_code, *split_kind(ward, WARD_KINDS), district_code))
            kinds.append(WARD_KINDS[ward_kind])
    rows = {
        "provinces": list(provinces.values()),
        "districts": list(districts.values()),
        "wards": wards,
        "column of kinds": kinds,
    }
    return rows, {"provinces": province_keys, "units": unit_keys}


def read_mapping(converter, today_wards, old_units):
    """(old code, new code, default): one row a pair, default 1 for exactly one pair of an old unit."""
    rows = []
    for province_key, by_ward in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for ward_key, old in by_ward.items():
            rows += [(old_units[key], today_wards[province_key, ward_key], "1") for key in old]
    for province_key, by_old in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for key, parts in by_old.items():
            rows += [
                (
                    old_units[key],
                    today_wards[province_key, part["newWardKey"]],
                    "1" if part["isDefaultNewWard"] else "0",
                )
                for part in parts
            ]
    assert len({row[:2] for row in rows}) == len(rows), "a pair is listed twice"
    defaults = Counter(old for old, _, default in rows if default == "1")
    assert set(defaults) == {old for old, _, _ in rows} and set(defaults.values()) == {1}
    return rows


def read_province_mapping(converter, today_provinces, old_provinces):
    """(old province code, new province code)."""
    return [
        (old_provinces[old], today_provinces[new])
        for new, olds in converter["DICT_PROVINCE"].items()
        for old in olds
    ]


def check_same_province(mapping, provinces, today, old):
    """Every old ward must arrive in the province that its own province became."""
    province_of_ward = {code: province for code, _, _, province in today["wards"]}
    province_of_unit = {code: province for code, _, _, province in old["districts"]}
    province_of_unit |= {code: province_of_unit[district] for code, _, _, district in old["wards"]}
    became = dict(provinces)
    for old_code, new_code, _ in mapping:
        assert became[province_of_unit[old_code]] == province_of_ward[new_code], old_code


def check_text(name, rows):
    """Codes have their lengths, and no field has stray spaces or another form than NFC."""
    lengths = {"provinces": {2}, "districts": {3}, "wards": {5}}
    kind = name.removesuffix(".tsv").rsplit("-", 1)[1]
    allowed = {3, 5} if name == "2025-03-to-2025-07-wards.tsv" else lengths[kind]
    codes = [row[0] for row in rows]
    assert all(code.isdigit() and len(code) in allowed for code in codes), name
    assert "-to-" in name or len(set(codes)) == len(codes), f"{name}: a code is there twice"
    for field in (field for row in rows for field in row):
        assert field == " ".join(unicodedata.normalize("NFC", field).split()), (name, field)


def count(today, old, mapping, provinces):
    """The counts that EXPECTED names."""
    found = Counter()
    found["today: provinces"] = len(today["provinces"])
    found["today: provinces that are cities"] = sum(kind == "city" for *_, kind in today["provinces"])
    found["today: wards"] = len(today["wards"])
    found.update(f"today: {kind}" for _, _, kind, _ in today["wards"])
    found["old: provinces"] = len(old["provinces"])
    found["old: districts"] = len(old["districts"])
    found.update(f"old: {kind}" for _, _, kind, _ in old["districts"])
    found["old: wards"] = len(old["wards"])
    found.update(f"old: {kind}" for _, _, kind, _ in old["wards"])
    for which, lists in {"today": today, "old": old}.items():
        kinds = lists["column of kinds"]
        found.update(f"{which}, column of kinds: {kind}" for kind in kinds)
        pairs = zip(lists["wards"], kinds, strict=True)
        found[f"{which}, column of kinds: wrong"] = sum(row[2] != kind for row, kind in pairs)
    with_wards = {district for *_, district in old["wards"]}
    found["old: districts without wards"] = len(old["districts"]) - len(with_wards)
    parts = defaultdict(set)
    for old_code, new_code, _ in mapping:
        parts[old_code].add(new_code)
    found["map: old units"] = len(parts)
    for news in parts.values():
        if len(news) == 1:
            found["map: to one new ward"] += 1
        else:
            found["map: divided"] += 1
            found[f"map: divided over {len(news)}"] += 1
    found["map: new wards reached"] = len({new for _, new, _ in mapping})
    found["map: provinces"] = len(provinces)
    return found


def report(found):
    """Prints each count beside the expected one and ends with status 1 on any difference."""
    wrong = False
    for what in list(EXPECTED) + sorted(set(found) - set(EXPECTED)):
        same = found[what] == EXPECTED.get(what)
        wrong |= not same
        print(f"{what:38} {found[what]:6} {'' if same else f'EXPECTED {EXPECTED.get(what)}'}".rstrip())
    if wrong:
        sys.exit("the counts differ: nothing was written")


if __name__ == "__main__":
    main()
