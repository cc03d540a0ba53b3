"""The HTTP interface, `/api/v1`: a FastAPI application, one module per group of routes."""

from cooldown.search.service.api.app import api

__all__ = ["api"]
