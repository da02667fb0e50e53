"""The signature of a report of deletion."""

import hashlib
import hmac
import json
from typing import Any

from django.conf import settings


def signature_of(facts: dict[str, Any]) -> str:
    """HMAC by the audit's key over a report without its signature."""
    content = {name: value for name, value in facts.items() if name != "signature"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(settings.AUDIT_KEY, f"retention\n{text}".encode(), hashlib.sha256).hexdigest()
