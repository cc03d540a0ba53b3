"""The style of the pages where Streamlit's own is hard to read, on paper, and on a phone.

Streamlit has no options for these. Selectors are its test ids, which it keeps for such uses. Nothing here holds a text
of anybody else's.
"""

CAPTIONS = """
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] * { opacity: 1; color: %(muted)s; }
[data-testid="stCaptionContainer"] code { color: %(code)s; }
"""
"""Streamlit's captions are faded to a contrast of 3.9, below the 4.5 that small text needs."""

TOKENS = """
[data-testid="stCode"] .token:is(.property, .variable, .function, .keyword) { color: #006A8A !important; }
[data-testid="stCode"] .token.string { color: #12703A !important; }
[data-testid="stCode"] .token:is(.number, .boolean) { color: #0B6E62 !important; }
"""
"""The colours of its code are as pale in its light theme."""

CHARTS = """
[data-testid="stPlotlyChart"] .main-svg text:not(.hoverlayer *) { fill: #3b454f !important; }
"""
"""The text of charts is pale in its light theme, most of all in coloured cells."""

CHIPS = """
:is([data-tag], [kind="primary"]):not(:disabled), :is([data-tag], [kind="primary"]):not(:disabled) * {
  color: #0E1117 !important;
}
"""
"""Its dark theme would set the text of chips and of the main button white on our light blue."""

AXES = """
.parcoords .axis :is(path, line) { stroke: #9aa7b2 !important; }
"""
"""Plotly draws the axes of parallel coordinates in black, also on its dark theme."""

FOCUS = """
:is(a, button, summary, input, textarea, [role], [data-testid="stMain"]):focus-visible {
  outline: 2px solid %(focus)s !important; outline-offset: 2px;
}
[data-testid="stMain"]:focus-visible { outline-offset: -2px; }
"""

PHONE = """
@media (max-width: 640px) {
  .modebar-container { display: none !important; }
  [data-testid="stMainBlockContainer"] { padding-top: 4rem; }
  [data-testid="stMainBlockContainer"] h1 { font-size: 1.75rem; padding: 0.25rem 0 0.5rem; }
  [data-testid="stMainBlockContainer"] h2 { font-size: 1.35rem; }
  [data-testid="stMainBlockContainer"] h3 { font-size: 1.15rem; }
}
"""
"""A touch shows a chart's toolbar, which covers the text at its top. Headings of their size on a large screen would
leave room for nothing else.
"""

PAPER = """
@page { margin: 12mm; }
@media print {
  [data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stToolbar"], .modebar-container { display: none; }
  html, body, #root, [data-testid="stApp"], [data-testid="stAppViewContainer"], [data-testid="stMain"] {
    position: static !important; display: block !important; height: auto !important; overflow: visible !important;
  }
  [data-testid="stMainBlockContainer"] { max-width: none; min-width: min-content; padding: 0; zoom: 0.7; }
  /* What is wider than the paper makes the browser print everything smaller, unless it is cut off. */
  [data-testid="stMainBlockContainer"] div { overflow: visible !important; min-width: min-content; }
  [data-testid="stPlotlyChart"], [data-testid="stDataFrame"], pre { break-inside: avoid; }
  h1, h2, h3 { break-after: avoid; }
}
"""
"""Its pages scroll inside the window, of which only what is in sight would be printed."""

CLOSE_MENU = """
<script>
if (!window.closesMenu) {
  window.closesMenu = true;
  document.addEventListener("click", (event) => {
    if (innerWidth < 768 && event.target.closest('[data-testid="stSidebar"] a')) {
      document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
    }
  });
}
</script>
"""
"""On a phone the menu covers the page that one of its links leads to; Streamlit closes only its own."""

LIGHT = {"muted": "#586470", "code": "#1F5F50", "focus": "#0072B2"}
DARK = {"muted": "#9aa7b2", "code": "#8FD3B6", "focus": "#56B4E9"}
"""Each has a contrast of at least 4.5 with the theme's backgrounds."""


def style(*, dark: bool) -> str:
    """The style element of every page."""
    rules = f"{CAPTIONS}{FOCUS}" % (DARK if dark else LIGHT)
    return f"<style>{rules}{CHIPS + AXES if dark else TOKENS + CHARTS}{PHONE}{PAPER}</style>"
