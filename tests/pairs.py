"""Pairs of real and synthetic records built as nouns: from frames, and broken ones that nothing may stumble over."""

import numpy as np
import pandas as pd

from synthpop_gb.pair import Pair, PairVariable


def make_pair(real: pd.DataFrame, synthetic: pd.DataFrame, **roles) -> Pair:
    """A pair of two frames with the same columns: numeric columns are numbers, all others categories, in order of appearance."""
    variables, columns = [], ({}, {})
    for name in real.columns:
        sides = [frame[name].reset_index(drop=True) for frame in (real, synthetic)]
        if all(pd.api.types.is_numeric_dtype(s) and not pd.api.types.is_bool_dtype(s) for s in sides):
            known = sides[0].dropna().to_numpy(np.float64)
            variables.append(PairVariable(name, "number", whole=bool((known == np.round(known)).all())))
            sides = [s.astype(np.float64) for s in sides]
        else:
            sides = [s.astype(object).where(s.notna(), None) for s in sides]
            categories = list(dict.fromkeys(str(v) for s in sides for v in s if v is not None))
            sides = [pd.Series(pd.Categorical([None if v is None else str(v) for v in s], categories)) for s in sides]
            variables.append(PairVariable(name, "category"))
        for out, s in zip(columns, sides, strict=True):
            out[name] = s
    return Pair(pd.DataFrame(columns[0]), pd.DataFrame(columns[1]), tuple(variables), **roles)


def people(n: int, seed: int = 1) -> pd.DataFrame:
    """Records of four categories and three numbers that hang together: income follows age, sex and education."""
    rng = np.random.default_rng(seed)
    age = rng.integers(16, 90, n).astype(float)
    sex = rng.choice(["female", "male"], n)
    education = np.where(rng.random(n) < 0.2 + 0.4 * (age < 45), "degree", rng.choice(["school", "none"], n))
    hours = np.clip(rng.normal(35 + 5 * (sex == "male"), 8, n), 0, 80).round()
    score = (age - 45) / 20 + 1.5 * (education == "degree") + 0.05 * (hours - 35) + rng.logistic(0, 1, n)
    married = np.where(age + rng.normal(0, 10, n) > 35, "married", "single")
    wealth = np.exp(age / 30 + rng.normal(0, 0.5, n))
    return pd.DataFrame(
        {
            "age": age, "sex": sex, "education": education, "hours": hours, "married": married, "wealth": wealth,
            "income": np.where(score > 0.5, "high", "low"),
        }
    )  # fmt: skip


def shuffled(frame: pd.DataFrame, seed: int = 2) -> pd.DataFrame:
    """The same columns one by one, without what links them."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({c: frame[c].to_numpy()[rng.permutation(len(frame))] for c in frame})


def broken_pairs() -> dict[str, Pair]:
    """Pairs that have something wrong with them, by name."""
    good, made = people(60), people(50, seed=3)
    roles = {"target": "income", "protected": ("sex", "age")}
    text = '<script>alert("x")</script>|=1+1'
    html = made.assign(education=np.where(np.arange(50) < 20, text, made["education"]))
    lost = good.assign(income=good["income"].where(np.arange(60) > 55, np.nan))
    return {
        "all missing, real": make_pair(good.assign(hours=np.nan, education=None), made, **roles),
        "all missing, synthetic": make_pair(good, made.assign(hours=np.nan, education=None), **roles),
        "all missing, both": make_pair(good.assign(hours=np.nan), made.assign(hours=np.nan), **roles),
        "constant, both": make_pair(good.assign(hours=7.0, sex="x"), made.assign(hours=7.0, sex="x"), **roles),
        "constant, synthetic": make_pair(good, made.assign(hours=7.0, sex="male", wealth=1e300), **roles),
        "one row": make_pair(good.head(1), made.head(1), **roles),
        "one synthetic row": make_pair(good, made.head(1), **roles),
        "no synthetic rows": make_pair(good, made.head(0), **roles),
        "no real rows": make_pair(good.head(0), made, **roles),
        "no rows": make_pair(good.head(0), made.head(0), **roles),
        "no variables": make_pair(good[[]], made[[]]),
        "one variable": make_pair(good[["income"]], made[["income"]], **roles | {"protected": ()}),
        "one class": make_pair(good.assign(income="low"), made, **roles),
        "one synthetic class": make_pair(good, made.assign(income="low"), **roles),
        "lone class": make_pair(good.assign(income=["only"] + ["low"] * 59), made, **roles),
        "target mostly missing": make_pair(lost, made, **roles),
        "target all missing": make_pair(good.assign(income=None), made, **roles),
        "identifier": make_pair(
            good.assign(id=[f"p{i}" for i in range(60)]), made.assign(id=[f"q{i}" for i in range(50)]), **roles
        ),
        "category only in synthetic, of HTML": make_pair(good, html, **roles),
        "separated": make_pair(good.assign(sex=np.where(good["income"] == "high", "a", "b")), made, **roles),
        "repeated column": make_pair(good.assign(age_again=good["age"]), made.assign(age_again=made["age"]), **roles),
        "weights of nought": make_pair(good, made, synthetic_weight=np.zeros(50), **roles),
        "some weights of nought": make_pair(good, made, weight=np.arange(60.0) % 3, **roles),
        "cloned": make_pair(good, good.iloc[np.arange(300) % 37], cloned=True, **roles),
        "huge numbers": make_pair(
            good.assign(wealth=good["wealth"] * 1e200), made.assign(wealth=made["wealth"] * 1e200), **roles
        ),
        "numeric target": make_pair(good, made, target="wealth", protected=("sex",)),
        "constant numeric target": make_pair(good.assign(wealth=1.0), made, target="wealth", protected=("sex",)),
    }
