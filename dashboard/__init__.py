"""The live view of the ledger: pages that read it through `storage` and show what `search` makes of it.

It trains nothing. `app.py` is what Streamlit runs; each file of `app_pages/` is one page. What a reader may change on a
server goes through the actions of `search.service`: see `acting.py`.
"""
