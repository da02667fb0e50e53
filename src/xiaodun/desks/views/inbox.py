"""Messages to the reader."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, login_required
from xiaodun.desks import selectors
from xiaodun.kit import clock
from xiaodun.messages import services as messages
from xiaodun.messages.selectors import message_visible_to


@require_GET
@login_required
def inbox(request: ScopedRequest) -> HttpResponse:
    """What the reader was told, newest first; what was withdrawn says so."""
    page = selectors.inbox_page(request.user, before=request.GET.get("before", ""), at=clock.now())
    return render(request, "desks/inbox.html", {"page": page, "page_title": page.title})


@require_POST
@login_required
def open_message(request: ScopedRequest, message_id: int) -> HttpResponse:
    """Mark a message read and go to what it is about."""
    message = message_visible_to(request.user, message_id)
    messages.mark_read(by=request.user, message=message, at=clock.now())
    return redirect(selectors.message_target(message, request.scope))


@require_POST
@login_required
def read_all(request: ScopedRequest) -> HttpResponse:
    """Mark all of the reader's messages read, up to the newest that the page showed."""
    newest = selectors.key_in(request.POST.get("newest", ""))
    if newest is None:
        raise Http404
    messages.mark_all_read(by=request.user, newest=newest, at=clock.now())
    return redirect("desks:inbox")
