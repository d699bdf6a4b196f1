"""The pages of a small Django site."""
# ruff: noqa: ANN001, ARG001 - as users write it

import os

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.urls import path


def front(request):
    return HttpResponse("open", headers={"X-Pid": str(os.getpid())})


def order(request, key):
    return HttpResponse({}[key])


async def soon(request, key):
    return HttpResponse({}[key])


def down(request):
    return HttpResponse("down", status=503)


def refused(request):
    raise PermissionDenied


urlpatterns = [
    path("", front),
    path("orders/<str:key>/", order),
    path("soon/<str:key>/", soon),
    path("down", down),
    path("refused", refused),
]
