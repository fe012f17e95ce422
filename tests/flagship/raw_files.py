"""The census files as published, recoded by hand, and people counted from written files. Shares no code with the package.

A survey record's cells follow from the teaching file's own codes (ONS 2014, variable list of the 2011 microdata teaching
file); published cells are sums of published columns.
"""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

SURVEY = "census2011-microdata-teaching-ew/teaching_file_2011_subset_59147.parquet"

HEALTH = ["very good", "good", "fair", "bad", "very bad"]
ETHNIC = ["white", "mixed", "asian", "black", "other"]  # Chinese people are with other in the teaching file
SEX = ["male", "female"]  # codes 1 and 2 in 2011
AGES_2011 = ["0-15", "16-44", "45-64", "65-74", "75+"]
AGES_2021 = ["0-15", "16-24", "25-34", "35-64", "65+"]
# codes of the teaching file: 1 = 0-15, 2 = 16-24, 3 = 25-34, 4 = 35-44, 5 = 45-54, 6 = 55-64, 7 = 65-74, 8 = 75 and over
AGE_OF_CODE = {2011: [0, 1, 1, 1, 2, 2, 3, 4], 2021: [0, 1, 2, 3, 3, 3, 4, 4]}


def survey_cells(data_folder, year) -> dict[str, pd.Series]:
    """By table: category number of every usual resident in the survey whose answers are all coded, by record id."""
    records = pd.read_parquet(data_folder / SURVEY).set_index("Person ID")
    coded = (records["Population Base"] == 1) & (records[["Sex", "Age", "Health", "Ethnic Group"]] > 0).all(axis=1)
    records = records[coded]
    return {
        "age": pd.Series(np.array(AGE_OF_CODE[year])[records["Age"] - 1], records.index),
        "sex": records["Sex"].astype(int) - 1,
        "health": records["Health"].astype(int) - 1,
        "ethnic_group": records["Ethnic Group"].astype(int) - 1,
    }


def published_2011(data_folder) -> dict[str, pd.DataFrame]:
    """Tables of the 34,753 LSOAs of 2011, and the joint table of age and sex, by zone code."""
    folder = data_folder / "census2011-lsoa-ew"
    joint = pd.read_parquet(folder / "age9_by_sex.parquet").set_index("zone_id")
    bands = {
        "0-15": ["0_02", "03_04", "05_09", "10_15"],
        "16-44": ["16_19", "20_44"],
        "45-64": ["45_64"],
        "65-74": ["65_74"],
        "75+": ["75_pl"],
    }
    cells = {
        (age, sex): sum(joint[letter + "a" + band] for band in found)
        for age, found in bands.items()
        for sex, letter in (("male", "M"), ("female", "F"))
    }
    both = pd.DataFrame(cells)
    areas = pd.read_parquet(folder / "ethnicity14_oa11_with_lookup.parquet")
    groups = areas.groupby("LSOA").sum(numeric_only=True)
    asian = groups[["Indian", "Pakistani", "Bangladeshi", "OtherAsian"]].sum(axis=1)
    black = groups[["BlkAfrican", "BlkCaribbean", "OtherBlk"]].sum(axis=1)
    other = groups[["Chinese", "Arab", "Other"]].sum(axis=1)
    white = groups["Persons"] - groups["Mixed"] - asian - black - other  # Gypsies and Travellers have no column of their own
    ethnic = pd.DataFrame({"white": white, "mixed": groups["Mixed"], "asian": asian, "black": black, "other": other})
    health = pd.read_parquet(folder / "general_health5.parquet").set_index("zone_id")[
        ["verygood", "good", "fair", "bad", "verybad"]
    ]
    return {
        "age": both.T.groupby(level=0).sum().T[AGES_2011],
        "sex": both.T.groupby(level=1).sum().T[SEX],
        "health": health.set_axis(HEALTH, axis=1),
        "ethnic_group": ethnic,
        "age x sex": both,
    }


def published_2021(data_folder) -> dict[str, pd.DataFrame]:
    """Perturbed tables of the 35,672 LSOAs of 2021, by zone code; nested subtotals left out by name."""
    folder = data_folder / "census2021-lsoa-ew"
    age = pd.read_parquet(folder / "age6.parquet").set_index("lsoa21_code").iloc[:, 1:]
    sex, health, group = (
        pd.read_parquet(folder / f"{name}.parquet").set_index("geography code") for name in ("ts008", "ts037", "ts021")
    )
    prefix = "Ethnic group: "
    asian, black = (
        prefix + "Asian, Asian British or Asian Welsh: ",
        prefix + "Black, Black British, Black Welsh, Caribbean or African: ",
    )
    mixed, white, other = prefix + "Mixed or Multiple ethnic groups: ", prefix + "White: ", prefix + "Other ethnic group: "
    parts = {
        "white": [c for c in group if c.startswith(white)],
        "mixed": [c for c in group if c.startswith(mixed)],
        "asian": [c for c in group if c.startswith(asian) and not c.endswith("Chinese")],
        "black": [c for c in group if c.startswith(black)],
        "other": [asian + "Chinese", *(c for c in group if c.startswith(other))],
    }
    return {
        "age": pd.concat([age.iloc[:, :3], age.iloc[:, 3:5].sum(axis=1), age.iloc[:, 5]], axis=1).set_axis(AGES_2021, axis=1),
        "sex": sex[["Sex: Male; measures: Value", "Sex: Female; measures: Value"]].set_axis(SEX, axis=1),
        "health": health[[f"General health: {h.capitalize()} health" for h in HEALTH]].set_axis(HEALTH, axis=1),
        "ethnic_group": pd.DataFrame({name: group[columns].sum(axis=1) for name, columns in parts.items()}),
    }


def count_people(counts_file, cells: dict[str, pd.Series], pairs=()) -> dict[str, pd.DataFrame]:
    """Count the people in a run's counts.parquet (zone, donor, n), batch by batch: by table, zones x categories.

    pairs : pairs of tables that are crossed as well, under the name 'a x b'.
    """
    wanted = {name: (series, int(series.max()) + 1) for name, series in cells.items()}
    for a, b in pairs:
        wanted[f"{a} x {b}"] = (cells[a] * wanted[b][1] + cells[b], wanted[a][1] * wanted[b][1])
    ids = pd.Index(next(iter(cells.values())).index)
    file = pq.ParquetFile(counts_file)
    codes: dict[str, int] = {}
    sums: dict[str, list] = {name: [] for name in wanted}
    for batch in file.iter_batches(batch_size=4_000_000):
        frame = batch.to_pandas()
        number, zones = pd.factorize(frame["zone"].astype(str) if frame["zone"].dtype != "category" else frame["zone"])
        record = ids.get_indexer(frame["donor"])
        assert (record >= 0).all(), "a donor that is no record of the survey, or one that lacks an answer"
        assert (frame["n"] > 0).all()
        assert not frame.duplicated(["zone", "donor"]).any()
        for zone in zones:
            codes.setdefault(str(zone), len(codes))
        here = np.array([codes[str(zone)] for zone in zones])[number]
        for name, (series, width) in wanted.items():
            at = here * width + series.to_numpy()[record]
            sums[name].append(np.bincount(at, frame["n"], minlength=len(codes) * width))
    out = {}
    for name, (_, width) in wanted.items():
        total = np.zeros(len(codes) * width)
        for part in sums[name]:
            total[: len(part)] += part
        out[name] = pd.DataFrame(total.reshape(-1, width), index=list(codes))
    return out


def table_errors(counted: dict[str, pd.DataFrame], published: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Total absolute error by zone (rows) and table (columns), in people."""
    zones = next(iter(counted.values())).index
    errors = {n: np.abs(counted[n].to_numpy() - table.loc[zones].to_numpy()).sum(axis=1) for n, table in published.items()}
    return pd.DataFrame(errors, index=zones)
