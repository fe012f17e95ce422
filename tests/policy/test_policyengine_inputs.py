"""Columns under plain names: whatever the survey calls sex, role, activity, partnership, tenure and income."""

import pandas as pd
import pytest

from synthpop_gb.errors import InputError
from synthpop_gb.policy.policyengine._plain import is_engine_survey, plain_columns

DONORS = pd.DataFrame({"gender": ["F", "M"], "pay": [1.0, 2.0], "relation": ["1", "2"], "tenure": ["owned outright", "x"]})


def test_columns_are_found_by_usual_names_and_by_those_given():
    found = plain_columns(DONORS, {"income": "pay"}, {})
    assert set(found) == {"sex", "income", "role"}
    assert found["sex"].tolist() == ["F", "M"]
    assert found["income"].tolist() == [1.0, 2.0]
    assert plain_columns(DONORS, {"income": 0}, {})["income"].tolist() == [0.0, 0.0]


def test_labels_are_turned_into_plain_words():
    found = plain_columns(DONORS, {}, {"role": {"1": "reference", "2": "partner"}, "tenure": {"x": "private"}})
    assert found["role"].tolist() == ["reference", "partner"]
    assert found["tenure"].tolist() == ["outright", "private"]


def test_what_there_is_not_is_said_all_at_once():
    with pytest.raises(InputError) as error:
        plain_columns(DONORS, {"income": "wage", "sex": ["gender"]}, {"role": {"1": "boss"}})
    assert [f.place for f in error.value.findings] == ["inputs.sex", "labels.role", "inputs.income"]


def test_a_dataset_is_told_by_its_columns():
    assert is_engine_survey(DONORS.assign(person_benunit_id=0, age=1))
    assert not is_engine_survey(DONORS)
