# Sourced by bin/build: makes one class-data archive (-XX:ArchiveClassesAtExit) per program, from a run that loads what a usual
# run loads: as root a small migration of a sleeping process, else --help. Start-up is then about half as long. A program without
# archive works the same, slower; so a failure here is a warning and not an error.

archive_of() { printf '%s/%s/target/%s-%s.jsa' "$home" "$1" "$1" "$java_version"; }

# archive_run MODULE ARGUMENTS...: one run of bin/MODULE that leaves its archive behind.
archive_run() {
  archive_module=$1
  shift
  PAGELIFT_ARCHIVE_CLASSES_TO=$(archive_of "$archive_module") timeout -k 5 120 "$home/bin/$archive_module" "$@" >> "$archive_log" 2>&1
}

# archive_migration DIRECTORY: moves a sleeping process over a page-server; each program's most usual run leaves its archive.
archive_migration() {
  # By exec, so that the signal below reaches timeout, which passes it on.
  (
    PAGELIFT_ARCHIVE_CLASSES_TO=$(archive_of page-server)
    export PAGELIFT_ARCHIVE_CLASSES_TO
    exec timeout -k 5 120 "$home/bin/page-server" --port 0 --store "$1/store" >> "$archive_log" 2>&1
  ) &
  archive_server=$!
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    archive_port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p' "$archive_log" | tail -n 1)
    [ -z "$archive_port" ] || break
    sleep 0.5
  done
  # Descriptors that the caller of bin/build left open are not to be inherited: a pipe of another process would be refused.
  setsid python3 -c 'import os; os.closerange(3, 65536); os.execvp("sleep", ["sleep", "300"])' < /dev/null > /dev/null 2>&1 &
  archive_target=$!
  sleep 0.5
  "$home/bin/dumper" pre-dump -t "$archive_target" --mode=read --to "127.0.0.1:$archive_port" --name archive >> "$archive_log" 2>&1 &&
    archive_run dumper dump -t "$archive_target" --to "127.0.0.1:$archive_port" --name archive
  kill -9 "$archive_target" 2> /dev/null
  wait "$archive_target" 2> /dev/null
  archive_run restorer restore --from "127.0.0.1:$archive_port" --name archive --detached
  kill -9 "$archive_target" 2> /dev/null
  kill -TERM "$archive_server" 2> /dev/null
  wait "$archive_server" 2> /dev/null
  return 0
}

make_class_archives() {
  archive_log=$home/target/class-archives.log
  : > "$archive_log"
  for archive_program in page-server dumper restorer; do
    rm -f "$(archive_of "$archive_program")"
  done
  if [ "$(id -u)" = 0 ]; then
    archive_directory=$(mktemp -d)
    archive_migration "$archive_directory" || true
    rm -rf "$archive_directory"
  fi
  for archive_program in page-server dumper restorer; do
    [ -f "$(archive_of "$archive_program")" ] || archive_run "$archive_program" --help || true
    [ -f "$(archive_of "$archive_program")" ] ||
      say "no class-data archive was made for $archive_program; it starts slower, see $archive_log."
  done
}
