"""The state of the installation as a list of checks, the same for the console and for the page."""

from xiaodun.operations.doctor.checks import CHECKS, examine
from xiaodun.operations.doctor.result import Result, worst

__all__ = ["CHECKS", "Result", "examine", "worst"]
