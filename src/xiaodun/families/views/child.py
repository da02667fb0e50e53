"""What stands behind a printed link: the notice, the acknowledgment, and on a bound phone who looked."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from xiaodun.accounts.cookies import keep_secret, secret_in
from xiaodun.families.forms import AcknowledgmentForm, PhoneForm
from xiaodun.families.models import ChildLink
from xiaodun.families.notices import notice_on
from xiaodun.families.selectors import acknowledgment_of, link_of, phone_here, reads_of
from xiaodun.families.services import acknowledge, bind_phone
from xiaodun.kit import clock
from xiaodun.organisations.selectors import institution_of
from xiaodun.people.policies import mask_name

# Kept under the address of its link only, so that each child of a family has its own.
_COOKIE = "xiaodun_family"


@require_http_methods(["GET", "POST"])
def child(request: HttpRequest, secret: str) -> HttpResponse:
    """The notice until it is acknowledged, then what there is to do: nothing more now."""
    link = _link(secret)
    at = clock.now()
    if link.expires_at <= at:
        return render(request, "families/over.html", _context(link, _("This link is over")), status=410)
    notice = notice_on(clock.local_day(at))
    said = acknowledgment_of(link, notice)
    form = AcknowledgmentForm(request.POST if request.method == "POST" else None)
    if said is None and form.is_bound and form.is_valid():
        acknowledge(link=link, language=get_language() or "", at=at, **form.cleaned_data)
        return redirect("families:child", secret)
    context = _context(link, _("School and family"))
    context |= {
        # On the page, not in its title: titles stay in the history of a browser.
        "heading": _("For the family of {name}").format(name=mask_name(link.person.name)),
        "secret": secret,
        "notice": notice,
        "words": notice.words(get_language() or ""),
        "form": form,
    }
    if said is None:
        return render(request, "families/notice.html", context, status=422 if form.errors else 200)
    phone = phone_here(link, secret_in(request, _COOKIE))
    context |= {"said": said, "phone": phone, "reads": reads_of(link.person) if phone else []}
    return render(request, "families/done.html", context)


@require_http_methods(["GET", "POST"])
def bind(request: HttpRequest, secret: str) -> HttpResponse:
    """Bind this phone: a number that the school has on record, and the second code on the slip."""
    link = _link(secret)
    at = clock.now()
    if link.expires_at <= at or acknowledgment_of(link, notice_on(clock.local_day(at))) is None:
        return redirect("families:child", secret)
    form = PhoneForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        bound = bind_phone(link=link, at=at, **form.cleaned_data)
        if bound is not None:
            response = redirect("families:child", secret)
            keep_secret(
                response,
                _COOKIE,
                bound,
                lasts=link.expires_at - at,
                path=reverse("families:child", args=[secret]),
            )
            return response
        form.add_error(
            None,
            _(
                "Number and code do not fit together. After five tries this slip binds no phone any more; "
                "then the class teacher prints a new one."
            ),
        )
    context = _context(link, _("Bind this phone")) | {"secret": secret, "form": form}
    return render(request, "families/bind.html", context, status=422 if form.errors else 200)


def _link(secret: str) -> ChildLink:
    """The link; one that was replaced is as unknown as one that never was."""
    link = link_of(secret, clock.now())
    if link is None:
        raise Http404
    return link


def _context(link: ChildLink, title: str) -> dict[str, object]:
    institution = institution_of(link.group)
    return {
        "page_title": title,
        "page_subtitle": f"{institution.label if institution else ''} {link.group.label}",
        "institution": institution,
    }
