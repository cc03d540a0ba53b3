"""The page on which a reader of the dashboard gives a token."""

import html

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
"""Its Content-Security-Policy: it loads nothing, and sends its form to this server alone."""

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font-family:system-ui,sans-serif;display:grid;place-content:center;min-height:90vh;margin:0 1rem;"
    "background:light-dark(#ffffff,#101418);color:light-dark(#0f1419,#e3e8ec)}"
    "form{display:grid;gap:.75rem;width:min(22rem,90vw)}h1{color:#2f8fcb;font-size:1.75rem;margin:0 0 .5rem}"
    "input,button{font:inherit;padding:.6rem .75rem;border-radius:.5rem;border:1px solid light-dark(#d5dbe0,#333c45)}"
    "input{background:light-dark(#f6f8f9,#181e24)}"
    "button{background:light-dark(#0072b2,#56b4e9);color:light-dark(#fff,#0e1117);border:0;font-weight:600;cursor:pointer}"
    "button:hover{filter:brightness(1.1)}p{margin:0}[role=alert]{color:light-dark(#b34700,#ff9a4d)}"
    ".foot{font-size:.875rem;color:light-dark(#586470,#9aa7b2)}code{display:block;margin-top:.25rem}"
)


def page(base_path: str, then: str, wrong: str = "", who: str = "") -> str:
    """The page as HTML. then: the address that was asked for. wrong: why the last try failed. who: the reader who has
    signed in, who may sign out here.
    """
    if who:
        asks = f"<p>Signed in as {html.escape(who)}.</p><button>Sign out</button>"
        action = f"{base_path}/sign-out"
    else:
        alert = f'<p role="alert">{html.escape(wrong)}</p>' if wrong else ""
        asks = (
            f'<label for="token">Token</label><input id="token" name="token" type="password" required autofocus '
            f'autocomplete="current-password"><input type="hidden" name="then" value="{html.escape(then)}">{alert}'
            '<button>Sign in</button><p class="foot">Whoever runs this server can create a token for you: '
            "<code>cooldown token create NAME</code></p>"
        )
        action = f"{base_path}/sign-in"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cooldown: sign in</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f'<form method="post" action="{html.escape(action)}"><h1>Cooldown</h1>{asks}</form></body></html>'
    )


def place(then: str, base_path: str) -> str:
    """Where to go after signing in: the address that was asked for if it is one of this server's, else the start."""
    ours = then.startswith(f"{base_path}/") and not then.startswith(("//", "/\\")) and then.isprintable()
    return then if ours and then.isascii() else f"{base_path}/"
