"""Figures of a simulation are plain sums over people, their intervals those of indicators, and changes are paired."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.assessment import indicator
from synthpop_gb.errors import InputError
from synthpop_gb.policy import PovertyLine, donors_of
from synthpop_gb.simulation import simulate
from tests.reference.distribution import distribution
from tests.simulation.worlds import HomeTax, PlaceTax, Tax, of_households, of_persons, people_of, without_duals

FIGURES = ["estimate", "standard_error", "lower", "upper", "people", "replicate_error", "finite_error", "model_error"]
BEHIND = ["counted", "n_eff", "donors", "largest_donor"]


def income(donors):
    return donors[["income"]].rename(columns={"income": "x"})


@pytest.mark.parametrize("measure", ["mean", "total"])
@pytest.mark.parametrize("by", [("zone",), ("lad", "sex"), ("zone", "sex", "age"), ("all",)])
def test_a_column_of_the_survey_has_the_figures_of_the_indicator(measure, by):
    aligned, population = of_persons()
    found = simulate(population, income, measures=measure, by=by, aligned=aligned).rows()
    wanted = indicator(population, "income", measure=measure, by=by, aligned=aligned).frame
    assert list(found.columns) == list(wanted.columns)
    for name in FIGURES + BEHIND:
        assert np.allclose(found[name], wanted[name], rtol=1e-7, atol=1e-9, equal_nan=True), name
    assert (found["reliability"] == wanted["reliability"]).all()


@pytest.mark.parametrize("measure", ["share", "count"])
def test_a_condition_has_the_figures_of_the_indicator(measure):
    aligned, population = of_persons()
    condition = "health = 'bad' and age != '0'"
    found = simulate(population, income, outcomes=condition, measures=measure, where="income > 50", aligned=aligned)
    wanted = indicator(population, condition, measure=measure, where="income > 50", aligned=aligned)
    for name in FIGURES + BEHIND:
        assert np.allclose(found.rows()[name], wanted.frame[name], rtol=1e-7, atol=1e-9, equal_nan=True), name
    assert found.whom == "people, where income > 50"
    assert found.indicators().question.measure == wanted.question.measure
    assert len(found.indicators().pivot()) == len(aligned.zones)  # noqa: PD010


def test_quantiles_have_the_figures_of_the_indicator_up_to_its_grid():
    aligned, population = of_persons()
    found = simulate(population, income, measures="quantile", quantile=0.25, by="lad", aligned=aligned).rows()
    wanted = indicator(population, "income", measure="quantile", quantile=0.25, by="lad", aligned=aligned).frame
    for name in ("estimate", "lower", "upper", "counted"):
        assert np.allclose(found[name], wanted[name], rtol=0.02), name
    assert np.allclose(found["model_error"], wanted["model_error"], rtol=0.2)


def test_distributions_are_those_of_the_people_exactly():
    aligned, population = of_persons()
    population = without_duals(population)  # so that the fit is the whole people, who can be written out
    measures = ["gini", "s80s20", "p90p10", "quantile", "poverty"]
    found = simulate(population, Tax, outcomes="net", measures=measures, by=("lad", "sex"), aligned=aligned, line=0.6)
    people = people_of(population, aligned, donors_of(aligned)[["income", "sex"]])
    weight, value = profile_weights(population, aligned), Tax().outcomes(donors_of(aligned))["net"].to_numpy()
    lad = aligned.geography.zones["lad"].to_numpy()
    median = distribution(weight.sum(axis=0), value, [0.5], [])[3][0]
    (amount,) = found.facts["poverty lines"]["amounts"]["baseline: net"]
    assert amount == pytest.approx(0.6 * median, rel=5e-3)  # three figures of it: the survey is not open
    for area in np.unique(lad):
        for sex in ("male", "female"):
            mine = (donors_of(aligned)["sex"] == sex).to_numpy()
            w = weight[lad == area][:, mine].sum(axis=0)
            p, total, gini, q, poor, _ = distribution(w, value[mine], [0.1, 0.2, 0.5, 0.8, 0.9], [])
            below = w[value[mine] < 0.6 * median].sum() / p
            wanted = {
                "gini": gini,
                "s80s20": (total - poor[3]) / poor[1],
                "p90p10": q[4] / q[0],
                "quantile": q[2],
                "poverty": below,
            }
            for measure, figure in wanted.items():
                row = found.rows(measure=measure).set_index(["lad", "sex"]).loc[(area, sex)]
                assert row["estimate"] == pytest.approx(figure), measure
                assert row["lower"] <= row["estimate"] <= row["upper"]
                assert row["standard_error"] > 0
            placed = people[(lad[people["at"]] == area) & (people["sex"] == sex)]
            net = Tax().outcomes(placed)["net"].to_numpy()
            gini = distribution(np.ones(len(net)), net, [0.5], [])[2]
            row = found.rows(measure="gini").set_index(["lad", "sex"]).loc[(area, sex)]
            assert row["counted"] == pytest.approx(gini)


def profile_weights(population, aligned):
    """(n_zones, n_records): people that each record stands for, by the whole counts of profiles and design weights."""
    problem = population.problem
    profile, record, share = problem.people_shares()
    out = np.zeros((problem.n_zones, len(aligned.records)))
    for z in range(problem.n_zones):
        of = np.zeros(problem.n_profiles)
        rows = slice(population.indptr[z], population.indptr[z + 1])
        of[population.profile[rows]] = population.count[rows]
        np.add.at(out[z], record, of[profile] * share)
    return out


def test_changes_are_paired_and_gainers_are_counted():
    aligned, population = of_persons()
    reforms = {"up": {"rate": 0.3}, "same": {"rate": 0.2}}
    found = simulate(
        population, Tax, reforms=reforms, outcomes=["net", "tax"], aligned=aligned,
        measures=["mean", "total", "change", "total_change", "gainers", "losers"],
    )  # fmt: skip
    assert found.scenarios == ("baseline", "up", "same")
    before, after = (found.rows(s, "net", "mean") for s in ("baseline", "up"))
    change = found.rows("up", "net", "change")
    assert np.allclose(change["estimate"], after["estimate"] - before["estimate"])
    assert np.allclose(change["counted"], after["counted"] - before["counted"])
    assert (change["replicate_error"] < before["replicate_error"]).all()  # what both share is not in it
    assert np.allclose(found.rows("up", "net", "total_change")["estimate"], change["estimate"] * change["people"])
    assert np.allclose(found.rows("up", "tax", "change")["estimate"], -change["estimate"])
    losers = found.rows("up", "net", "losers")
    paying = simulate(population, Tax, outcomes="pays", measures="share", aligned=aligned).rows()
    assert np.allclose(losers["estimate"], paying["estimate"])
    assert (found.rows("up", "net", "gainers")["estimate"] == 0).all()
    same = found.frame[(found.frame["scenario"] == "same") & found.frame["measure"].isin(["change", "gainers", "losers"])]
    assert (same["estimate"] == 0).all()
    assert set(found.frame.loc[found.frame["scenario"] == "baseline", "measure"]) == {"mean", "total"}
    mild = simulate(population, Tax, reforms=reforms, outcomes="net", measures="losers", threshold=20.0, aligned=aligned)
    assert mild.rows("up")["estimate"].mean() < losers["estimate"].mean()


def test_places_are_projected_by_class():
    aligned, population = of_persons()
    found = simulate(population, PlaceTax, measures=["mean", "gini", "poverty"], by=("zone", "sex"), aligned=aligned)
    flat = simulate(population, Tax, outcomes="tax", measures="mean", by=("zone", "sex"), aligned=aligned)
    lad = aligned.geography.zones["lad"].reindex(found.rows(measure="mean")["zone"]).to_numpy()
    ratio = found.rows(measure="mean")["estimate"] / flat.rows()["estimate"]
    assert np.allclose(ratio[lad == lad.min()], 1.0)
    assert np.allclose(ratio[lad != lad.min()], 1.25, rtol=1e-3)
    whole = simulate(population, PlaceTax, measures=["total"], by="all", aligned=aligned).rows()
    parts = simulate(population, PlaceTax, measures=["total"], by="lad", aligned=aligned).rows()
    assert whole["estimate"].iloc[0] == pytest.approx(parts["estimate"].sum())
    assert whole["counted"].iloc[0] == pytest.approx(parts["counted"].sum())
    assert whole["donors"].iloc[0] >= parts["donors"].max()
    assert found.facts["classes of place"] == 2


def test_poverty_lines_can_be_of_a_parent_anchored_moving_or_fixed():
    aligned, population = of_persons()

    def poverty(**line):
        made = simulate(
            population, Tax, reforms={"double": {"rate": 0.4}}, outcomes="net", measures="poverty", by="lad", aligned=aligned,
            line=PovertyLine(**line),
        )  # fmt: skip
        return [made.rows(s)["estimate"].to_numpy() for s in made.scenarios], made.facts["poverty lines"]["amounts"]

    anchored, lines = poverty()
    moving, of_each = poverty(moving=True)
    assert lines["baseline: net"] == lines["double: net"]
    assert of_each["double: net"] < of_each["baseline: net"]
    assert (anchored[0] == moving[0]).all()
    assert (anchored[1] >= moving[1]).all()
    parents, by_lad = poverty(of="lad")
    assert len(by_lad["baseline: net"]) == 2
    assert not np.allclose(parents[0], anchored[0], rtol=1e-12)
    fixed, amounts = poverty(amount=100.0)
    assert amounts == {"baseline: net": [100.0], "double: net": [100.0]}
    share = simulate(population, Tax, outcomes="net < 100", measures="share", by="lad", aligned=aligned).rows()["estimate"]
    assert np.allclose(fixed[0], share)


def test_households_count_once_where_they_are_asked_about():
    aligned, population = of_households()
    found = simulate(population, HomeTax, measures=["mean", "total"], outcomes=["home", "tax"], unit="household", aligned=aligned)
    people = simulate(population, HomeTax, measures="total", outcomes=["home", "tax"], aligned=aligned)
    rows = found.rows("baseline", "tax", "total")
    alone = aligned.households.communal[aligned.households.of_record]
    placed = population.donors()
    own = np.where(alone, HomeTax().outcomes(donors_of(aligned))["person"]["tax"], 0.0)[placed.record] * placed.n
    communal = np.bincount(np.repeat(np.arange(len(aligned.zones)), np.diff(placed.indptr)), own, len(aligned.zones))
    assert np.allclose(rows["counted"] + communal, people.rows("baseline", "tax", "total")["counted"])
    assert found.whom == "households"
    assert np.allclose(found.rows("baseline", "home", "mean")["people"], population.status["households"], rtol=0.05)


def test_a_condition_of_households_is_on_what_their_members_have_together():
    aligned, population = of_households()
    asked = {"unit": "household", "by": "all", "aligned": aligned}
    found = simulate(population, HomeTax, outcomes="net > 50000", measures="count", **asked).rows()
    net, of = HomeTax().outcomes(donors_of(aligned))["person"]["net"].to_numpy(), aligned.households.of_record
    together = np.bincount(of, net) > 50_000
    assert together.any()
    assert net.max() < 50_000  # nobody alone
    placed = population.households()
    homes = aligned.households.ids.get_indexer(population.problem.households)[placed.record]
    lived_in = ~aligned.households.communal[homes]
    assert found["counted"].item() == (placed.n * together[homes])[lived_in].sum()


def test_groups_add_up_to_areas():
    aligned, population = of_persons()
    zones = simulate(population, Tax, outcomes="tax", measures="total", aligned=aligned).rows()
    groups = simulate(population, Tax, outcomes="tax", measures="total", by=("zone", "health"), aligned=aligned).rows()
    for name in ("estimate", "counted", "people"):
        assert np.allclose(groups.groupby("zone", sort=False)[name].sum(), zones[name])


def test_everything_wrong_with_a_question_is_said_at_once():
    aligned, population = of_persons()
    with pytest.raises(InputError) as error:
        simulate(
            population, Tax, reforms={"up": {"rat": 1}, "baseline": {}}, outcomes=["net", "gross", "pays", "net <"],
            aligned=aligned, measures=["share", "poverty", "mode"], by=("zone", "shoe"), line=PovertyLine(of="moon"),
        )  # fmt: skip
    said = str(error.value)
    for words in ("did you mean 'rate'", "cannot be called 'baseline'", "'gross'", "no measure 'mode'", "shoe", "level 'moon'",
                  "'net' is a number", "poverty is of a number"):  # fmt: skip
        assert words in said, words
    with pytest.raises(InputError, match="of a reform"):
        simulate(population, Tax, measures="change", aligned=aligned)
    with pytest.raises(InputError, match="deciles="):
        simulate(population, Tax, by=("all", "decile"), aligned=aligned)
    for wrong in ({"level": 1.0}, {"quantile": 0.0}, {"unit": "dwelling"}, {"line": -1.0}, {"line": {"shore": 1}}):
        with pytest.raises(ValueError, match=r"not|has"):
            simulate(population, Tax, aligned=aligned, **wrong)


def test_what_is_yes_or_no_in_the_baseline_alone_has_no_share():
    aligned, population = of_persons()

    def grant(donors, parameters=None):
        return pd.DataFrame({"grant": donors["income"] * (parameters or {"share": 0.0})["share"]}, index=donors.index)

    with pytest.raises(InputError, match="'grant' under 'new' is a number"):
        simulate(population, grant, reforms={"new": {"share": 0.5}}, measures=["share", "mean"], aligned=aligned)


def test_what_a_copy_may_not_have_is_refused_unless_nobody_asks_for_it():
    aligned, population = of_persons()

    def ranked(donors):
        return pd.DataFrame({"rank": donors["income"].rank(), "income": donors["income"]}, index=donors.index)

    with pytest.raises(InputError) as error:
        simulate(population, ranked, aligned=aligned)
    assert {f.code for f in error.value.findings if f.level == "error"} == {"model-reads-others"}
    with pytest.raises(InputError, match="model-reads-others"):
        simulate(population, ranked, outcomes="rank > 10", measures="share", aligned=aligned)
    found = simulate(population, ranked, outcomes="income", aligned=aligned)
    assert [(f.code, f.level) for f in found.findings] == [("model-reads-others", "warning")]
    assert "rank" in repr(found)
    unchecked = simulate(population, ranked, outcomes="rank", aligned=aligned, check=False)
    assert len(unchecked) == len(aligned.zones)


def test_deciles_are_of_the_people_and_have_figures_of_their_own():
    aligned, population = of_persons()
    found = simulate(
        population, Tax, reforms={"up": {"rate": 0.3}}, outcomes="net", measures=["mean", "change"], by=("all", "decile"),
        deciles="net", aligned=aligned,
    )  # fmt: skip
    means = found.rows("baseline", "net", "mean")
    assert means["decile"].tolist() == list(range(1, 11))
    assert (np.diff(means["estimate"]) > 0).all()
    assert found.groups == ("decile",)
    change = found.rows("up", "net", "change")["estimate"]
    assert change.iloc[0] == 0
    assert change.iloc[-1] < change.iloc[5] < 0


def test_the_same_bits_again_and_however_people_are_handed_over():
    aligned, population = of_persons()
    asked = {
        "measures": ["mean", "total", "poverty", "gini", "quantile"],
        "outcomes": "net",
        "by": ("zone", "sex"),
        "aligned": aligned,
    }
    first = simulate(population, Tax, **asked).frame
    assert simulate(population, Tax, **asked).frame.equals(first)
    blocks = [population.donors(aligned.zones[i : i + 3]) for i in range(0, len(aligned.zones), 3)]
    assert simulate(population, Tax, counts=iter(blocks), **asked).frame.equals(first)


def test_replicates_that_are_only_draws_of_whole_people_are_narrower():
    from synthpop_gb.execution import solve
    from synthpop_gb.formulation import formulate

    aligned, population = of_persons()
    drawn = solve(formulate(aligned), seed=1, replicates=6, sources=["whole"])
    asked = {"measures": ["mean", "gini", "poverty"], "outcomes": "net", "by": "lad", "aligned": aligned}
    narrow, wide = simulate(drawn, Tax, **asked).frame, simulate(population, Tax, **asked).frame
    assert np.allclose(narrow["estimate"], wide["estimate"])
    assert narrow["replicate_error"].mean() < wide["replicate_error"].mean()


def test_empty_zones_and_groups_of_nobody_have_no_figures():
    aligned, population = of_persons()
    found = simulate(
        population, Tax, measures=["mean", "total", "gini", "poverty", "quantile"], outcomes="net",
        by=("zone", "age", "health", "sex"), aligned=aligned,
    ).frame  # fmt: skip
    nobody = (found["people"] == 0) & (found["donors"] == 0)
    rest = found[~nobody & (found["donors"] > 0)]
    assert np.isfinite(rest[["estimate", "lower", "upper", "counted"]]).all(axis=None)
    assert (found.loc[nobody & (found["measure"] != "total"), "estimate"].isna()).all()
