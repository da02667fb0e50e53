"""What printed sheets need beside the parts of every page."""

import segno
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def qr(text: str) -> SafeString:
    """``text`` as a QR code with its quiet zone; beside it stands, for eyes, what it leads to."""
    made = segno.make(text, error="m", micro=False)
    return format_html('<img class="x-qr" alt="" src="{}">', made.svg_data_uri(border=4, omitsize=True))
