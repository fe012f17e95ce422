"""Entity tables in OpenFisca itself, where openfisca-core is installed: it takes ids and roles as they are."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.export.entity_tables import openfisca
from tests.policy.demo_run import population

pytest.importorskip("openfisca_core", reason="openfisca-core is not installed")

ROLES = (("reference", "references", 1), ("partner", "partners", 1), ("child", "children", None), ("other", "others", None))


def entity(key, plural, roles):
    from openfisca_core.entities import build_entity

    told = [{"key": k, "plural": p, "label": k, **({"max": most} if most else {})} for k, p, most in roles]
    return build_entity(key=key, plural=plural, label=key, roles=told)


@pytest.mark.parametrize("weighted", [False, True])
def test_openfisca_takes_the_tables(weighted, tmp_path):
    from openfisca_core.entities import build_entity
    from openfisca_core.periods import YEAR
    from openfisca_core.simulation_builder import SimulationBuilder
    from openfisca_core.taxbenefitsystems import TaxBenefitSystem
    from openfisca_core.variables import Variable

    aligned, made = population()
    folder = openfisca(made, aligned, tmp_path / "x", weighted=weighted)
    persons, units, homes = (pd.read_csv(folder / f"{n}.csv") for n in ("persons", "benunits", "households"))
    person = build_entity(key="person", plural="persons", label="person", is_person=True)
    benunit, household = entity("benunit", "benunits", ROLES[:3]), entity("household", "households", ROLES)

    class income(Variable):
        value_type, entity, definition_period, label = float, person, YEAR, "income"

    class home_income(Variable):
        value_type, entity, definition_period, label = float, household, YEAR, "income of the household"

        def formula(home, period):
            return home.sum(home.members("income", period))

    class dependants(Variable):
        value_type, entity, definition_period, label = int, benunit, YEAR, "dependent children"

        def formula(unit, period):
            return unit.nb_persons(benunit.CHILD)

    system = TaxBenefitSystem([person, benunit, household])
    system.add_variables(income, home_income, dependants)
    builder = SimulationBuilder()
    builder.create_entities(system)
    builder.declare_person_entity("person", persons["person_id"].to_numpy())
    for key, ids in (("household", homes["household_id"]), ("benunit", units["benunit_id"])):
        group = builder.declare_entity(key, ids.to_numpy())
        builder.join_with_persons(group, persons[f"{key}_id"].to_numpy(), persons[f"{key}_role"].to_numpy(str))
    simulation = builder.build(system)
    simulation.set_input("income", "2021", persons["employment_income"].to_numpy(float))
    expected = persons.groupby("household_id")["employment_income"].sum().reindex(homes["household_id"])
    assert np.allclose(simulation.calculate("home_income", "2021"), expected)
    assert simulation.calculate("dependants", "2021").tolist() == units["children"].tolist()
    total = (simulation.calculate("home_income", "2021") * homes["household_weight"]).sum()
    copies = np.bincount(made.households().record, made.households().n, len(aligned.households.ids))
    earned = aligned.frame()["income"].where(aligned.frame()["economic_activity"] == "employee", 0)
    by_home = np.bincount(aligned.households.of_record, earned, len(copies))
    assert total == pytest.approx((by_home * copies).sum())
