"""Whole runs on real data, made once each."""

import pytest

import synthpop_gb as sp
from synthpop_gb.spec import load_study


@pytest.fixture(scope="session")
def run_study(data_folder, tmp_path_factory, pytestconfig):
    """Run a study of inputs/ once a session, without report: name -> Run."""
    made = {}

    def run(name, **changes):
        key = (name, *sorted(changes.items()))
        if key not in made:
            study = load_study(pytestconfig.rootpath / "inputs" / f"{name}.toml")
            if changes:
                study = study.model_copy(update={"survey": study.survey.model_copy(update=changes)})
            made[key] = sp.run(study, tmp_path_factory.mktemp("outputs"), report=False)
        return made[key]

    return run
