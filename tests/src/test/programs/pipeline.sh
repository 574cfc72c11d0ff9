#!/bin/sh
# A pipeline of several processes: numbers go through sed and awk to a shell that writes them down. Argument: work directory.
directory=$1
echo $$ > "$directory/pid.tmp"
mv "$directory/pid.tmp" "$directory/pid"
# The first loop ends on "stop"; end of file then goes down the pipeline. Builtins and small programs only.
i=0
while [ ! -e "$directory/stop" ]; do
  i=$((i + 1))
  echo "line $i"
  [ $((i % 100)) != 0 ] || sleep 0.005
done | sed -u 's/^line/number/' | awk '{ print $2 * 2; fflush() }' | while read -r number; do
  echo "$number"
done > "$directory/lines"
echo PASS > "$directory/result.tmp"
mv "$directory/result.tmp" "$directory/result"
