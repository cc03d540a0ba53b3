"""The live view of the ledger: pages that read it through `storage` and show what `search` makes of it.

It writes nothing and trains nothing. `app.py` is what Streamlit runs; each file of `app_pages/` is one page.
"""
