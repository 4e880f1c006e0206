"""What a service still lets a token ask, shared by every plugin and project that uses the token."""

from ennio.plugins.quota.allowance import Allowance, allowance_of
from ennio.plugins.quota.budget import Quota, Refusal, RequestBudget

__all__ = ["Allowance", "Quota", "Refusal", "RequestBudget", "allowance_of"]
