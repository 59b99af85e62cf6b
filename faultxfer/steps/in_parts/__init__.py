"""Large files, checked in parts and in little memory, with the outcome of their check as a whole.

The path of a file, module by module:

1. `check`: tries the ways of cutting one after the other, and says where none will do.
2. `cutting`: cuts the file into stretches of lines, periods of time, or recordings; `tag_files`
   gathers the readings of files of one tag each before, `cuts` says where not to cut, and
   `day_order` which part of a date is the day.
3. `one_part`: puts each part through the ordinary check; `said` takes from it what its own rows
   say, and `sight` what the part saw around them.
4. `together`: takes part by part. It writes the accepted rows (`back_in_order` where they come from
   all over the file), and `merged` adds up what is said: findings of rows (`sums`), cells
   (`cell_counts`), times (`time_counts`), values that are looked at again (`kept_values`), rows set
   aside (`set_aside`), and what was found while parts were read (`remarks`).
5. `several_files`: lays files beside each other that were each checked so; `all_values` goes
   through the values of all of them.

Whatever finds that parts do not decide raises `sight.NotByPartsError`, and the file is looked at as
a whole.
"""
