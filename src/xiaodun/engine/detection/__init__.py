"""Outbreak detection: published methods on arrays of counts, in NumPy alone, and the count rules of the
norms.

>>> from xiaodun.engine.detection import FarringtonFlexible
>>> detection = FarringtonFlexible.noufaily(alpha=0.01).detect(counts)  # doctest: +SKIP

A method is an immutable object made of its parameters; ``detect`` takes counts of shape (n_series, n_times)
and gives expected counts, upper bounds, scores and alarms of the same shape (:class:`Detection`).
:data:`METHODS` names the methods as the command line does. The threshold rules are in
:mod:`xiaodun.engine.detection.thresholds`.
"""

from .base import Detection, Detector
from .cusum import Cusum
from .ears import EarsC1, EarsC2, EarsC3
from .evaluation import (
    Confusion,
    confusion,
    false_positive_rate,
    lead_times,
    probability_of_detection,
    probability_of_detection_in_first_week,
)
from .farrington import Farrington
from .farrington_flexible import FarringtonFlexible
from .reproduction import ReproductionNumber, ReproductionNumberEstimate, discrete_serial_interval
from .scan import ScanCluster, ScanStatistic, zones_of_distances, zones_of_tree

__all__ = [
    "METHODS",
    "Confusion",
    "Cusum",
    "Detection",
    "Detector",
    "EarsC1",
    "EarsC2",
    "EarsC3",
    "Farrington",
    "FarringtonFlexible",
    "ReproductionNumber",
    "ReproductionNumberEstimate",
    "ScanCluster",
    "ScanStatistic",
    "confusion",
    "discrete_serial_interval",
    "false_positive_rate",
    "lead_times",
    "probability_of_detection",
    "probability_of_detection_in_first_week",
    "zones_of_distances",
    "zones_of_tree",
]

METHODS: dict[str, type[Detector]] = {
    EarsC1.method: EarsC1,
    EarsC2.method: EarsC2,
    EarsC3.method: EarsC3,
    Cusum.method: Cusum,
    Farrington.method: Farrington,
    FarringtonFlexible.method: FarringtonFlexible,
    ScanStatistic.method: ScanStatistic,
    ReproductionNumber.method: ReproductionNumber,
}
"""Detectors by the name they have on the command line."""
