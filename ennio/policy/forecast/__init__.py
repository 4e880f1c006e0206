"""What sessions are likely to come to, from what finished ones came to. Pure."""

from ennio.policy.forecast.anomalies import limits
from ennio.policy.forecast.calibration import CalibrationReport, calibration
from ennio.policy.forecast.groups import LEAST, groups, sample
from ennio.policy.forecast.likely import likely_cost
from ennio.policy.forecast.quantiles import quantile, share
from ennio.policy.forecast.size import words_asked

__all__ = [
    "LEAST",
    "CalibrationReport",
    "calibration",
    "groups",
    "likely_cost",
    "limits",
    "quantile",
    "sample",
    "share",
    "words_asked",
]
