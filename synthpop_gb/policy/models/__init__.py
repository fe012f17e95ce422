"""Models that come with the package, by name."""

from functools import partial

from synthpop_gb.policy._model import register_policy_model
from synthpop_gb.policy.models.health import HealthIntervention
from synthpop_gb.policy.models.tax_benefit import TAX_YEARS, TaxBenefit
from synthpop_gb.policy.policyengine import PolicyEngineUK

__all__ = ["HealthIntervention", "TaxBenefit"]

register_policy_model("tax-benefit", TaxBenefit)
for _year in TAX_YEARS:
    register_policy_model(f"tax-benefit-{_year}", partial(TaxBenefit, _year))
register_policy_model("health-intervention", HealthIntervention)
register_policy_model("policyengine-uk", PolicyEngineUK)  # the engine itself is imported when it is asked
