# Sourced by bin/build: makes one class-data archive (-Xshare:dump) per program, of the classes that usual runs load: as root the
# moving of a sleeping process, else --help. Start-up then takes half as long. A program without archive works the same, slower; so
# a failure here is a warning and not an error.
#
# Not the dynamic kind (-XX:ArchiveClassesAtExit): on JDK 17 that leaves out classes of old format, which are all of picocli and ASM.

archive_of() { printf '%s/%s/target/%s-%s.jsa' "$home" "$1" "$1" "$java_version"; }

# archive_run MODULE ARGUMENTS...: one run of bin/MODULE whose classes will be archived.
archive_run() {
  archive_module=$1
  shift
  PAGELIFT_CLASS_LIST_TO=$archive_directory/$archive_module.run timeout -k 60 120 "$home/bin/$archive_module" "$@" >> "$archive_log" 2>&1 ||
    { cat "$archive_directory/$archive_module.run" >> "$archive_directory/$archive_module.list" 2> /dev/null; return 1; }
  cat "$archive_directory/$archive_module.run" >> "$archive_directory/$archive_module.list"
}

# archive_migration: moves a sleeping process over a page-server, and then once more out of its store.
archive_migration() {
  # By exec, so that the signal below reaches timeout, which passes it on.
  (
    PAGELIFT_CLASS_LIST_TO=$archive_directory/page-server.list
    export PAGELIFT_CLASS_LIST_TO
    exec timeout -k 60 120 "$home/bin/page-server" --port 0 --store "$archive_directory/store" >> "$archive_log" 2>&1
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
  archive_run dumper pre-dump -t "$archive_target" --mode=read --to "127.0.0.1:$archive_port" --name archive --stats "$archive_directory/stats" &&
    archive_run dumper dump -t "$archive_target" --to "127.0.0.1:$archive_port" --name archive --stats "$archive_directory/stats"
  kill -9 "$archive_target" 2> /dev/null
  wait "$archive_target" 2> /dev/null
  archive_run restorer restore --from "127.0.0.1:$archive_port" --name archive --detached
  kill -9 "$archive_target" 2> /dev/null
  archive_run restorer restore --store "$archive_directory/store" --name archive --detached
  kill -9 "$archive_target" 2> /dev/null
  kill -TERM "$archive_server" 2> /dev/null
  wait "$archive_server" 2> /dev/null
  return 0
}

# archive_dump MODULE: makes the archive of the classes that were listed.
archive_dump() {
  module_classpath "$1"
  # Newer JDKs number the classes of each run; numbers of several runs contradict each other and are not needed.
  sed -e '/ source: /d' -e 's/ id: [0-9]*$//' "$archive_directory/$1.list" | awk '!seen[$0]++' > "$archive_directory/$1.classes"
  # G1, because only it can put objects of the JDK into an archive, which every collector then takes.
  "$java_home/bin/java" -XX:+UseG1GC -Xshare:dump "-XX:SharedClassListFile=$archive_directory/$1.classes" \
    "-XX:SharedArchiveFile=$(archive_of "$1")" -cp "$classpath" >> "$archive_log" 2>&1
}

make_class_archives() {
  archive_log=$home/target/class-archives.log
  : > "$archive_log"
  archive_directory=$(mktemp -d)
  for archive_program in page-server dumper restorer; do
    rm -f "$(archive_of "$archive_program")"
  done
  if [ "$(id -u)" = 0 ]; then
    archive_migration || true
  fi
  for archive_program in page-server dumper restorer; do
    archive_run "$archive_program" --help || true
    archive_dump "$archive_program" || true
    [ -f "$(archive_of "$archive_program")" ] ||
      say "no class-data archive was made for $archive_program; it starts slower, see $archive_log."
  done
  rm -rf "$archive_directory"
}
