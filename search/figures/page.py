"""A figure as a web page in one file: it opens without a network, and is the same each time it is written."""

import plotly.graph_objects as go

from cooldown.objectives.plain_text import visible_in_html


def page(figure: go.Figure, title: str, caption: str = "") -> str:
    """The HTML document that shows `figure` in the whole window. title: of the window. caption: a text below it."""
    below = f'<p style="font: 15px sans-serif; margin: 0 24px 16px">{visible_in_html(caption)}</p>' if caption else ""
    body = figure.to_html(
        full_html=False, include_plotlyjs=True, auto_play=False, div_id="figure", config={"displaylogo": False}
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{visible_in_html(title)}</title>
<style>html, body {{ height: 100%; margin: 0; }}</style>
</head>
<body>
{body}{below}
</body>
</html>
"""
