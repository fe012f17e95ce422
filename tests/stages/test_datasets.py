"""Demo counties: what must be true of any population, plausible British magnitudes, and each world's defining property."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import datasets
from synthpop_gb.datasets import (
    CATEGORIES,
    DOES_NOT_APPLY,
    UNIVERSES,
    WORLDS,
    make_county,
    simulate_perturbation,
    simulate_problem,
)
from synthpop_gb.datasets._categories import ADULTS, HELD_OUT, HOUSEHOLDS, PUBLISHED, age_band, universe_of
from synthpop_gb.datasets._landscape import LOCAL, REGIONS

WORLD_NAMES = tuple(WORLDS)


@cache
def county(name="penmarrow", **options):
    return make_county(name, **options)


@pytest.fixture(scope="module")
def demo():
    return county()


def shares(table):
    return table.sum() / table.to_numpy().sum()


def by_zone(table, *columns):
    return table[list(columns)].sum(axis=1) / table.sum(axis=1)


def fingerprint(frame):
    return int(pd.util.hash_pandas_object(pd.DataFrame(frame), index=True).sum())


# --- households and persons -------------------------------------------------------------------------------------------------


def test_household_size_equals_members(demo):
    members = np.bincount(demo.persons["household"], minlength=len(demo.households))
    np.testing.assert_array_equal(members, demo.households["members"])
    top = len(CATEGORIES["household_size"])
    np.testing.assert_array_equal(np.minimum(members, top) - 1, demo.households["household_size"].cat.codes)


def test_rows_are_numbered_and_share_their_household_s_zone(demo):
    np.testing.assert_array_equal(demo.persons["person"], np.arange(len(demo.persons)))
    np.testing.assert_array_equal(demo.households["household"], np.arange(len(demo.households)))
    assert demo.persons["household"].is_monotonic_increasing
    home = demo.households["zone"].cat.codes.to_numpy()[demo.persons["household"]]
    np.testing.assert_array_equal(home, demo.persons["zone"].cat.codes)
    assert list(demo.persons["zone"].cat.categories) == list(demo.zones) == list(demo.lookup["zone"])


def test_every_household_has_one_reference_person_and_at_most_one_partner(demo):
    role = pd.crosstab(demo.persons["household"], demo.persons["role"])
    assert (role["reference"] == 1).all()
    assert (role["partner"] <= 1).all()
    first = demo.persons.groupby("household").head(1)
    assert (first["role"] == "reference").all()
    assert (first["age"] >= 16).all()


def test_partners_are_mutual_and_live_together(demo):
    p = demo.persons
    coupled = p[p["partner"] >= 0]
    other = p.iloc[coupled["partner"]]
    np.testing.assert_array_equal(other["partner"], coupled["person"])
    np.testing.assert_array_equal(other["household"], coupled["household"])
    assert (coupled["age"] >= 18).all()
    assert set(coupled["role"]) == {"reference", "partner"}
    assert (p.loc[p["role"] == "partner", "partner"] >= 0).all()
    married = p["partnership"] == "married"
    assert (p.loc[married, "partner"] >= 0).all()
    assert (married.to_numpy()[coupled["partner"]] == married[coupled.index]).all()


def test_children_have_no_partner_income_qualification_or_activity(demo):
    p = demo.persons
    young = p["age"] < 16
    adults_only = [name for name, universe in UNIVERSES.items() if universe == ADULTS]
    for name in adults_only:
        np.testing.assert_array_equal(p[name] == DOES_NOT_APPLY, young)
    assert (p.loc[young, "partner"] == -1).all()
    assert (p.loc[young, "income"] == 0).all()
    assert set(p.loc[young, "role"]) == {"child"}
    assert (p.loc[~young, "income"] > 0).all()


def test_ages_are_possible(demo):
    p = demo.persons
    assert p["age"].between(0, 100).all()
    couples = p[(p["role"] == "reference") & (p["partner"] >= 0)]
    other = p.iloc[couples["partner"]].set_axis(couples.index)
    woman_and_man = couples["sex"].astype(str) != other["sex"].astype(str)
    man_older = np.where(couples["sex"] == "male", couples["age"] - other["age"], other["age"] - couples["age"])[woman_and_man]
    assert 1.5 < man_older.mean() < 3.5
    assert (np.abs(man_older) < 25).all()
    parents = p[p["role"].isin(["reference", "partner"])].groupby("household")["age"].min()
    children = p[p["role"] == "child"]
    assert (parents.loc[children["household"]].to_numpy() - children["age"] >= 16).all()
    alone = demo.households["composition"] == "pensioner alone"
    assert (p.groupby("household")["age"].first()[alone.to_numpy()] >= 66).all()


def test_composition_says_who_lives_there(demo):
    hh, p = demo.households, demo.persons
    kind = hh["composition"].astype(str)
    role = pd.crosstab(p["household"], p["role"])
    assert (hh.loc[kind.isin(["pensioner alone", "adult alone"]), "members"] == 1).all()
    assert (role.loc[kind.str.contains("lone parent"), "partner"] == 0).all()
    assert (role.loc[kind.str.contains("child|generations"), "child"] > 0).all()
    assert (role.loc[kind.str.contains("sharing"), "other"] > 0).all()
    students = p[kind.to_numpy()[p["household"]] == "students sharing"]
    assert (students["economic_activity"] == "student").all()
    assert students["age"].between(18, 24).all()


def test_households_are_mostly_of_one_ethnic_group(demo):
    p = demo.persons
    groups = p.groupby("household")["ethnic_group"].nunique()
    several = demo.households["members"].to_numpy() > 1
    assert 0.85 < (groups[several] == 1).mean() < 0.97


# --- British magnitudes: Census 2021, England and Wales, with room for a county to be itself -----------------------------------

PLAUSIBLE = {
    "sex": {"female": (0.50, 0.525)},
    "age": {"0-15": (0.17, 0.22), "16-24": (0.09, 0.125), "25-34": (0.12, 0.15), "65-74": (0.08, 0.11), "75+": (0.07, 0.10)},
    "health": {
        "very good": (0.46, 0.53),
        "good": (0.31, 0.36),
        "fair": (0.105, 0.14),
        "bad": (0.03, 0.05),
        "very bad": (0.008, 0.018),
    },
    "partnership": {"never married": (0.34, 0.41), "married": (0.41, 0.48), "divorced": (0.08, 0.115), "widowed": (0.045, 0.07)},
    "qualification": {"no qualifications": (0.14, 0.21), "level 4 or above": (0.30, 0.39), "apprenticeship": (0.04, 0.07)},
    "economic_activity": {"employee": (0.43, 0.51), "retired": (0.17, 0.25), "unemployed": (0.02, 0.04), "student": (0.05, 0.10)},
    "tenure": {"owned outright": (0.23, 0.36), "owned with mortgage": (0.25, 0.34), "private rented": (0.15, 0.24)},
    "household_size": {
        "1 person": (0.26, 0.33),
        "2 people": (0.32, 0.39),
        "4 people": (0.11, 0.15),
        "6 or more people": (0.01, 0.04),
    },
    "cars": {"no car": (0.20, 0.29), "1 car": (0.37, 0.43)},
    "accommodation": {"detached": (0.16, 0.27), "flat": (0.18, 0.27)},
}


@pytest.mark.parametrize("name", WORLD_NAMES)
def test_margins_are_british(name):
    c = county(name)
    for variable, ranges in PLAUSIBLE.items():
        share = shares(c.table(variable, perturbed=False))
        for category, (low, high) in ranges.items():
            assert low < share[category] < high, (variable, category, share[category])
    white = shares(c.table("ethnic_group", perturbed=False))["white"]
    assert 0.6 < white < 0.92
    assert 2.2 < c.households["members"].mean() < 2.5


def test_health_and_qualification_follow_age_as_in_the_census(demo):
    health = demo.table("age", "health", level="county", perturbed=False).to_numpy().reshape(8, 5)
    very_good = health[:, 0] / health.sum(axis=1)
    assert very_good[0] > 0.75 > 0.20 > very_good[-1]
    assert (np.diff(very_good) < 0).all()
    qualification = demo.table("age", "qualification", level="county", perturbed=False).to_numpy().reshape(7, 7)
    none = qualification[:, 0] / qualification.sum(axis=1)
    assert none[-1] > 0.35 > 0.15 > none[1]


def test_incomes_are_spread_as_british_ones(demo):
    weight = demo.households["members"]
    income = np.sort(np.repeat(demo.households["equivalised_income"], weight).to_numpy())
    p10, median, p90 = np.percentile(income, [10, 50, 90])
    rank = np.arange(1, len(income) + 1)
    gini = float(((2 * rank - len(income) - 1) * income).sum() / len(income) / income.sum())
    assert 27_000 < median < 35_000
    assert 13_500 < p10 < 17_500
    assert 55_000 < p90 < 70_000
    assert 0.28 < gini < 0.37
    adults = demo.persons[demo.persons["age"].between(25, 60)]
    pay = adults.groupby("qualification", observed=True)["income"].median()
    assert pay["level 4 or above"] > 1.4 * pay["no qualifications"]


def test_zones_differ_as_lsoas_do():
    c = county("rutlow")
    size = c.tables["age"].sum(axis=1)
    households = c.tables["tenure"].sum(axis=1)
    assert 1_300 < size.mean() < 1_650
    assert households.between(400, 1_200).all()
    spread = {  # sd over the LSOAs of England and Wales in points: 20.5, 16.0, 2.4, 12.6, 7.2
        ("tenure", "owned outright", "owned with mortgage"): (12, 26),
        ("tenure", "social rented"): (8, 20),
        ("health", "bad", "very bad"): (1.4, 3.2),
        ("qualification", "level 4 or above"): (8, 16),
        ("qualification", "no qualifications"): (5, 10),
    }
    for (table, *columns), (low, high) in spread.items():
        assert low < 100 * by_zone(c.tables[table], *columns).std() < high


# --- places -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["penmarrow", "harrowmere"])
def test_zones_tessellate_one_county_at_sea(name):
    import shapely

    c = county(name)
    polygons = c.boundaries.geometry.to_numpy()
    assert c.boundaries.crs.to_epsg() == 27700
    assert shapely.is_valid(polygons).all()
    assert (shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON).all()
    whole = shapely.union_all(polygons)
    assert shapely.area(polygons).sum() == pytest.approx(shapely.area(whole), rel=1e-9)
    assert whole.geom_type == "Polygon"
    assert len(whole.interiors) == 0
    assert 3.2 < whole.area / 1e6 / len(polygons) < 4.3
    assert 500_000 < whole.bounds[0] < whole.bounds[2] < 600_000  # eastings of open sea
    assert list(c.boundaries["zone"]) == list(c.zones)


def test_codes_nest_and_collide_with_nothing(demo):
    lookup = demo.lookup
    for level, start in {"zone": "D01", "msoa": "D02", "district": "D07", "county": "D10"}.items():
        assert lookup[level].str.fullmatch(start + r"\d{6}").all()
    assert lookup["zone"].is_unique
    assert lookup["name"].is_unique
    for inner, outer in [("msoa", "district"), ("district", "county")]:
        assert lookup[[inner, outer]].drop_duplicates()[inner].is_unique
    assert lookup.groupby("msoa")["zone"].size().between(3, 8).all()
    assert lookup["district"].nunique() == 2
    codes = [set(county(name).lookup["zone"]) for name in WORLD_NAMES]
    assert len(set.union(*codes)) == sum(map(len, codes))


def test_msoas_hang_together(demo):
    outlines = demo.boundaries.merge(demo.lookup[["zone", "msoa"]], on="zone").dissolve("msoa")
    assert (outlines.geom_type == "Polygon").mean() > 0.8


@pytest.mark.parametrize("name", ["penmarrow", "rutlow", "calderholme"])
def test_deprivation_goes_with_bad_health_and_social_renting(name):
    c = county(name)
    deprivation = c.effects["deprivation"]
    for share in (by_zone(c.tables["health"], "bad", "very bad"), by_zone(c.tables["tenure"], "social rented")):
        assert np.corrcoef(deprivation, share)[0, 1] > 0.35
    assert np.corrcoef(deprivation, by_zone(c.tables["qualification"], "level 4 or above"))[0, 1] < -0.35
    assert np.corrcoef(deprivation, c.outcomes()["median_equivalised_income"])[0, 1] < -0.5


def test_deprivation_varies_smoothly_over_the_map():
    c = county("rutlow")
    centre = np.column_stack([c.boundaries.centroid.x, c.boundaries.centroid.y])
    gap = np.linalg.norm(centre[:, None] - centre[None], axis=2)
    np.fill_diagonal(gap, np.inf)
    d = c.effects["deprivation"].to_numpy()
    near = d[np.argsort(gap, axis=1)[:, :4]].mean(axis=1)
    assert np.corrcoef(d, near)[0, 1] > 0.4


def test_the_coast_is_old_and_students_live_together():
    c = county("calderholme")
    east = c.boundaries.centroid.x.to_numpy()
    old = by_zone(c.tables["age"], "65-74", "75+").to_numpy()
    assert old[east > np.quantile(east, 0.93)].mean() > 1.25 * np.median(old)
    students = by_zone(c.tables["economic_activity"], "student").sort_values()
    assert students.iloc[-1] > 3 * students.median()


# --- tables -----------------------------------------------------------------------------------------------------------------


def test_exact_tables_are_the_truth(demo):
    assert tuple(demo.tables) == PUBLISHED
    for name, table in demo.tables.items():
        records = demo.households if UNIVERSES[name] == HOUSEHOLDS else demo.persons
        values = pd.Series(age_band(records["age"])).map(dict(enumerate(CATEGORIES["age"]))) if name == "age" else records[name]
        truth = pd.crosstab(records["zone"], values.to_numpy()).drop(columns=DOES_NOT_APPLY, errors="ignore")
        assert list(table.columns) == list(CATEGORIES[name])
        np.testing.assert_array_equal(table, truth.reindex(columns=table.columns, fill_value=0))


def test_joint_tables_add_up_to_the_one_way_tables(demo):
    assert tuple(demo.held_out) == tuple("_by_".join(names) for names in HELD_OUT)
    for names, table in zip(HELD_OUT, demo.held_out.values(), strict=True):
        assert table.columns.names == list(names)
        for name in names:
            margin = table.T.groupby(level=name).sum().T
            if universe_of(names) == UNIVERSES[name]:
                np.testing.assert_array_equal(margin[list(demo.tables[name].columns)], demo.tables[name])
            elif name == "age":  # adults only: every band but 0-15 agrees
                np.testing.assert_array_equal(margin[list(CATEGORIES["age"][1:])], demo.tables["age"].iloc[:, 1:])


def test_levels_add_up_when_exact(demo):
    zones = demo.table("health")
    msoa = zones.groupby(demo.lookup["msoa"].to_numpy()).sum()
    np.testing.assert_array_equal(msoa.loc[demo.table("health", level="msoa").index], demo.table("health", level="msoa"))
    assert demo.table("health", level="county").to_numpy().sum() == len(demo.persons)


def test_perturbed_tables_are_noisy_as_census_2021():
    exact, noisy = county("rutlow"), county("rutlow", perturbed=True)
    assert fingerprint(exact.persons) == fingerprint(noisy.persons)
    assert fingerprint(exact.survey) == fingerprint(noisy.survey)
    names = ("age_by_sex", "age_by_health", "age_by_qualification")
    count, seen = (np.concatenate([c.held_out[n].to_numpy().ravel() for n in names]) for c in (exact, noisy))
    change = seen - count
    large = change[count >= 3]
    assert 0.12 < (large != 0).mean() < 0.15
    assert 0.48 < large.std() < 0.60
    assert abs(large.mean()) < 4 * large.std() / np.sqrt(len(large))
    assert np.abs(change).max() == 3
    small = (count == 1) | (count == 2)
    assert 0.13 < (change[small] != 0).mean() < 0.20
    assert (change[count == 0] == 0).all()
    assert all((table >= 0).all(axis=None) for table in [*noisy.tables.values(), *noisy.held_out.values()])


def test_perturbed_totals_disagree_and_levels_are_noised_apart():
    c = county("rutlow", perturbed=True)
    totals = pd.DataFrame({name: c.tables[name].sum(axis=1) for name in ("age", "sex", "health", "ethnic_group")})
    assert (totals["age"] != totals["sex"]).mean() > 0.5
    truth = c.table("age", perturbed=False).sum(axis=1)
    assert 1.1 < (totals["age"] - truth).std() < 2.0  # 0.54 x sqrt(8 cells)
    assert 0.5 < (totals["sex"] - truth).std() < 1.0
    summed = c.tables["age"].groupby(c.lookup["msoa"].to_numpy()).sum()
    assert (summed.to_numpy() != c.table("age", level="msoa").to_numpy()).mean() > 0.3


def test_the_same_cell_is_perturbed_alike_in_every_table():
    c = county("rutlow", perturbed=True)
    full = c.table("sex", "health")
    again = c.table("health", "sex")
    for sex in CATEGORIES["sex"]:
        np.testing.assert_array_equal(full[sex]["good"], again["good"][sex])
    one_person = c.table("household_size")["1 person"]
    alone = c.table("composition")[["pensioner alone", "adult alone"]].sum(axis=1)
    assert (one_person != alone).any()  # one cell against the sum of two, as TS017 against TS003


def test_tables_of_mixed_units_or_unknown_names_are_refused(demo):
    with pytest.raises(ValueError, match="mix persons with households"):
        demo.table("age", "tenure")
    with pytest.raises(ValueError, match="'wealth'"):
        demo.table("wealth")
    with pytest.raises(ValueError, match="'ward'"):
        demo.table("age", level="ward")


# --- survey -----------------------------------------------------------------------------------------------------------------


def test_survey_has_donors_from_here_and_elsewhere(demo):
    s = demo.survey
    assert 3_500 < len(s) < 4_700
    assert set(s["region"].cat.categories) == {demo.world.county, *(r.name for r in REGIONS)}
    own = (s["region"] == demo.world.county).mean()
    assert 0.03 < own < 0.10
    assert "zone" not in s
    assert s["person"].is_unique


def test_survey_households_are_whole_and_share_a_weight(demo):
    s = demo.survey
    members = s.groupby("household").agg(n=("person", "size"), said=("members", "first"), weights=("weight", "nunique"))
    np.testing.assert_array_equal(members["n"], members["said"])
    assert (members["weights"] == 1).all()
    assert s[["household", "psu", "region", "tenure"]].drop_duplicates()["household"].is_unique
    assert s["weight"].mean() == pytest.approx(1.0, abs=1e-5)
    assert (s["weight"] > 0).all()
    assert s["weight"].max() > 5 * s["weight"].min()
    for name in PUBLISHED:
        if name != "age":
            labels = [*CATEGORIES[name], DOES_NOT_APPLY] if UNIVERSES[name] == ADULTS else list(CATEGORIES[name])
            assert list(s[name].cat.categories) == labels


def test_weights_correct_the_design_but_only_part_of_the_non_response():
    c = county("rutlow", survey_persons=100_000)
    own = c.survey[c.survey["region"] == c.world.county]
    truth = 1.0 - shares(c.table("ethnic_group"))["white"]
    minority = (own["ethnic_group"] != "white").to_numpy()
    raw, weighted = minority.mean(), np.average(minority, weights=own["weight"])
    assert raw > truth + 0.03
    assert abs(weighted - truth) < abs(raw - truth)
    heads = own[own["role"] == "reference"]
    private = (heads["tenure"] == "private rented").to_numpy()
    assert np.average(private, weights=heads["weight"]) < shares(c.table("tenure"))["private rented"] - 0.015
    adults = own[own["age"] >= 16]
    graduates = np.average(adults["qualification"] == "level 4 or above", weights=adults["weight"])
    assert graduates > shares(c.table("qualification"))["level 4 or above"] + 0.01


# --- what each world is for ---------------------------------------------------------------------------------------------------


def predicted_share(c, folds=10, ridge=1.0):
    """Cross-validated R2 of the zones' share of smokers on all published margins (ridge regression)."""
    outcome = c.outcomes()
    y = (outcome["smokers"] / outcome["adults"]).to_numpy()
    x = np.column_stack([t.iloc[:, :-1].div(t.sum(axis=1), axis=0) for t in c.tables.values()])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    fold, guess = np.arange(len(y)) % folds, np.empty_like(y)
    for k in range(folds):
        a = fold != k
        beta = np.linalg.solve(x[a].T @ x[a] + ridge * np.eye(x.shape[1]), x[a].T @ (y[a] - y[a].mean()))
        guess[~a] = y[a].mean() + x[~a] @ beta
    return 1.0 - ((y - guess) ** 2).sum() / ((y - y.mean()) ** 2).sum()


def dissimilarity(a, b):
    """Duncan & Duncan (1955): share of one group that would have to move to live where the other does."""
    return 0.5 * float(np.abs(a / a.sum() - b / b.sum()).sum())


def raked(start, rows, columns, cycles=60):
    w = np.repeat(start[None], len(rows), axis=0)
    for _ in range(cycles):
        w *= (rows / np.maximum(w.sum(axis=2), 1e-12))[:, :, None]
        w *= (columns / np.maximum(w.sum(axis=1), 1e-12))[:, None, :]
    return w


def local_structure(c, *names):
    """TAE of the zones' joint against the county's raked to their margins, over that of zones without local structure."""
    table = c.table(*names, perturbed=False)
    truth = table.to_numpy(float).reshape(len(table), *(len(CATEGORIES[n]) for n in names))
    fitted = raked(truth.sum(axis=0) + 1e-9, truth.sum(axis=2), truth.sum(axis=1))
    rng = np.random.default_rng(0)
    none = np.stack([rng.multinomial(round(w.sum()), w.ravel() / w.sum()).reshape(w.shape) for w in fitted]).astype(float)
    noise = raked(truth.sum(axis=0) + 1e-9, none.sum(axis=2), none.sum(axis=1))
    return np.abs(truth - fitted).sum() / np.abs(none - noise).sum()


def test_rutlow_s_constraints_tell_much_about_the_outcome():
    assert predicted_share(county("rutlow")) > 0.9


def test_calderholme_s_constraints_tell_nothing_about_the_outcome():
    c = county("calderholme")
    assert predicted_share(c) < 0.1
    smoking = c.outcomes()["smokers"] / c.outcomes()["adults"]
    assert smoking.std() > 0.04
    p = c.persons[c.persons["age"] >= 16]
    smokes = p["smokes"] == "yes"
    for name in ("sex", "qualification", "health", "economic_activity"):
        assert smokes.groupby(p[name], observed=True).mean().std() < 0.01


def test_harrowmere_is_strongly_segregated():
    c = county("harrowmere")
    group, tenure = c.tables["ethnic_group"], c.tables["tenure"]
    assert dissimilarity(group.drop(columns="white").sum(axis=1), group["white"]) > 0.6
    assert dissimilarity(group["asian"], group["white"]) > 0.6
    assert dissimilarity(tenure["social rented"], tenure["owned outright"] + tenure["owned with mortgage"]) > 0.6
    calm = county("penmarrow").tables["ethnic_group"]
    assert dissimilarity(calm.drop(columns="white").sum(axis=1), calm["white"]) < 0.4


def test_local_structure_in_the_joint_has_the_strength_that_the_world_says():
    for name, low, high in [("rutlow", 1.1, 1.5), ("calderholme", 1.5, 2.3), ("harrowmere", 2.4, 3.6)]:
        c = county(name)
        assert low < local_structure(c, "age", "health") < high
        local = c.effects[[f"local_{n}" for n in LOCAL]].to_numpy()
        assert local.std() == pytest.approx(c.world.local_joint, rel=0.1)
        share = c.effects["local_age_health"].groupby(c.lookup["msoa"].to_numpy()).mean().var() / local.var()
        assert 0.25 < share < 0.75  # a third shared, plus a fifth of the rest


# --- same seed, same bits; sizes; files -----------------------------------------------------------------------------------------


def test_same_arguments_give_the_same_bits_and_others_do_not():
    a, b, other = (make_county(zones=12, seed=s, survey_persons=500) for s in (7, 7, 8))
    for part in ("persons", "households", "survey", "lookup", "effects"):
        assert fingerprint(getattr(a, part)) == fingerprint(getattr(b, part))
    assert (a.boundaries.geometry.to_wkb() == b.boundaries.geometry.to_wkb()).all()
    assert fingerprint(a.persons) != fingerprint(other.persons)
    assert fingerprint(make_county("rutlow", zones=12, seed=7).persons) != fingerprint(a.persons)


def test_the_survey_s_size_changes_nobody_in_the_county():
    assert fingerprint(county(zones=12).persons) == fingerprint(county(zones=12, survey_persons=200).persons)


def test_one_argument_scales_across_blocks_of_zones():
    c = make_county(scale=2.5)
    assert len(c.lookup) == 150
    assert 200_000 < len(c.persons) < 250_000
    np.testing.assert_array_equal(np.bincount(c.persons["household"]), c.households["members"])
    coupled = c.persons["partner"] >= 0
    partner = c.persons["partner"].to_numpy()
    np.testing.assert_array_equal(partner[partner[coupled]], c.persons["person"][coupled])
    assert c.persons.memory_usage(deep=True).sum() / len(c.persons) < 40


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"world": "rutlaw"}, "did you mean 'rutlow'"),
        ({"zones": 3}, "10 to 99,999"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"survey_persons": 5}, "survey_persons 100 or more"),
    ],
)
def test_impossible_counties_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        make_county(**options)


def test_written_county_reads_back(tmp_path):
    c = make_county(zones=12, seed=3, survey_persons=600, perturbed=True)
    folder = c.write(tmp_path / "county")
    listed = pd.read_csv(folder / "tables.csv")
    assert list(listed["table"]) == [*c.tables, *c.held_out]
    for row in listed.itertuples():
        frame = pd.read_csv(folder / row.file)
        if row.held_out:
            np.testing.assert_array_equal(frame["count"], c.held_out[row.table].to_numpy().ravel())
            assert list(frame.columns) == ["zone", *row.variables.split(), "count"]
        else:
            pd.testing.assert_frame_equal(frame.set_index("zone"), c.tables[row.table], check_names=False, check_index_type=False)
    survey = pd.read_csv(folder / "survey.csv", dtype={"zone": str})
    codes = pd.read_csv(folder / "codebook.csv", keep_default_na=False)
    for name, group in codes.groupby("variable"):
        assert name == "age" or set(survey[name]) <= set(group["code"])
    people = pd.read_parquet(folder / "truth" / "persons.parquet")
    pd.testing.assert_frame_equal(people, c.persons)
    assert len(pd.read_parquet(folder / "truth" / "households.parquet")) == len(c.households)
    pd.testing.assert_frame_equal(pd.read_csv(folder / "lookup.csv"), c.lookup, check_dtype=False)
    assert json.loads((folder / "county.json").read_text(encoding="utf-8"))["world"]["name"] == "penmarrow"
    assert "perturbed" in (folder / "README.txt").read_text(encoding="utf-8")


def test_written_boundaries_read_back(tmp_path):
    import geopandas

    c = county(zones=12)
    frame = geopandas.read_parquet(c.write(tmp_path) / "boundaries.geo.parquet")
    assert frame.crs.to_epsg() == 27700
    assert list(frame.columns) == ["zone", "name", "geometry"]
    assert frame.geometry.geom_equals(c.boundaries.geometry).all()


def test_writing_twice_gives_the_same_bytes(tmp_path):
    c = county(zones=12)
    a, b = c.write(tmp_path / "a"), c.write(tmp_path / "b")
    files = sorted(p.relative_to(a) for p in a.rglob("*") if p.is_file())
    assert len(files) == 30
    for file in files:
        assert (a / file).read_bytes() == (b / file).read_bytes(), file


# --- simulated problems -------------------------------------------------------------------------------------------------------


def test_simulated_problem_is_solved_by_its_truth():
    p = simulate_problem(300, 20, (2, 8, 5, 5, 4), seed=11)
    assert p.cats.shape == (300, 5)
    assert len(np.unique(p.cats, axis=0)) == 300
    assert (p.cats < p.n_cats).all()
    assert p.start.mean() == pytest.approx(1.0)
    fitted = np.stack([np.bincount(row, p.counts[z], p.targets.shape[1]) for z in range(20) for row in p.cell_of])
    np.testing.assert_array_equal(fitted.reshape(20, 5, -1).sum(axis=1), p.targets)
    totals = np.add.reduceat(p.targets, np.cumsum(p.n_cats) - p.n_cats, axis=1)
    assert (totals == totals[:, :1]).all()


def test_simulated_zones_do_not_depend_on_the_zones_after_them():
    few, many = (simulate_problem(50, n, (3, 4, 6), seed=2) for n in (4, 9))
    np.testing.assert_array_equal(few.start, many.start)
    np.testing.assert_array_equal(few.targets, many.targets[:4])


def test_infeasible_problem_has_an_empty_cell():
    p = simulate_problem(120, 30, (3, 5, 4, 5), seed=4, feasible=False)
    assert (p.cats[:, -1] != 4).all()
    assert (p.targets[:, -1] > 0).any()
    assert len(p.cats) == len(p.start) == p.counts.shape[1] < 120


def test_as_many_profiles_as_there_are_combinations():
    p = simulate_problem(24, 2, (2, 3, 4), seed=1)
    assert len(np.unique(p.cats, axis=0)) == 24


def test_too_many_profiles_are_refused():
    with pytest.raises(ValueError, match="combinations"):
        simulate_problem(40, 2, (2, 3, 4), seed=1)


def test_simulated_perturbation_keeps_means_and_signs():
    counts = np.repeat([0, 1, 2, 3, 50, 5_000], 20_000).reshape(6, -1)
    noisy = simulate_perturbation(counts, seed=9)
    assert (noisy >= 0).all()
    assert (noisy[0] == 0).all()
    np.testing.assert_allclose((noisy - counts).mean(axis=1), 0.0, atol=0.02)
    assert ((noisy - counts)[3:] != 0).mean() == pytest.approx(34 / 256, abs=0.004)


def test_public_names_are_listed():
    assert all(hasattr(datasets, name) for name in datasets.__all__)
