"""The live view of the ledger. Knows Streamlit and Plotly; empty until its pages are built."""
