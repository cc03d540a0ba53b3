"""Who asks: tokens, sessions and limits, in ASGI middleware around everything that the server has."""
