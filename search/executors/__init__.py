"""Where training runs: jobs, and the processes that run them."""
