"""What became of an obligation, and what share of the obligations owed was met."""

from xiaodun.engine.compliance.judgement import Judgement, NotOwed, Value, judge
from xiaodun.engine.compliance.score import Score, score

__all__ = ["Judgement", "NotOwed", "Score", "Value", "judge", "score"]
