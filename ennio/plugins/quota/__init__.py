"""What a service still lets a token ask, shared by every plugin and project that uses the token."""

from ennio.plugins.quota.allowance import Allowance, allowance_of
from ennio.plugins.quota.budget import Budget, Quota, Refusal

__all__ = ["Allowance", "Budget", "Quota", "Refusal", "allowance_of"]
