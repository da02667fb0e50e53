"""Addresses of the shared ground."""

from django.urls import path

from xiaodun.kit import views

app_name = "kit"
urlpatterns = [path("healthz", views.health, name="health")]
