"""The parts of the page New experiment: data, question, how sure, and all else; each fills fields of one `Form`."""
