"""``/api/``: the operations, and one answer for every address that is none."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt

from xiaodun.api.endpoints import api
from xiaodun.api.problems import method_not_allowed

_operations, _app_name, _namespace = api.urls


def _with_problems(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view, with ninja's empty answer to a wrong method made a problem."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        return method_not_allowed(response["Allow"]) if response.status_code == 405 else response

    return answer


# No session and no cookie opens anything here, so there is nothing to forge.
@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    raise Http404


app_name = "api"
urlpatterns = [
    # Named as ninja names it: the description of the API asks for its own root.
    path("", unknown, name="api-root"),
    *(
        path(str(pattern.pattern), _with_problems(pattern.callback), name=pattern.name)
        for pattern in _operations
        if isinstance(pattern, URLPattern) and pattern.name != "api-root"
    ),
    re_path("", unknown, name="unknown"),
]
