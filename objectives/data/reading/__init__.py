"""How a user's table becomes columns of numbers and labels, and what a reader is told of it.

`files` opens a file as a table in which every cell that is not plainly a number is still the text that was written.
`columns` decides for each column, by all cells of the training table, what it holds: numbers in one notation
(`notation`), dates (`dates`), or categories; the same decision then reads a test table. What can be read in two ways is
refused by column and value, with the option of `options` that decides. `summary` is what is told of a table as it was
read, and `doubts` which of its columns may not belong to it.
"""
