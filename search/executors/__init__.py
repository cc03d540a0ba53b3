"""Where training runs: jobs, and the processes that take them."""
