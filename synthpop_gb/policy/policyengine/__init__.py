"""PolicyEngine UK as a policy model, and its datasets made from a population (extra `policy`: policyengine-uk is AGPL-3.0)."""

from synthpop_gb.policy.policyengine._dataset import placed_tables, write_dataset
from synthpop_gb.policy.policyengine._model import OUTCOMES, PolicyEngineUK
from synthpop_gb.policy.policyengine._readback import read_tables
from synthpop_gb.policy.policyengine._results import read_outcomes

__all__ = ["OUTCOMES", "PolicyEngineUK", "placed_tables", "read_outcomes", "read_tables", "write_dataset"]
