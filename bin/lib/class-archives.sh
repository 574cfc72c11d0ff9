# Sourced by bin/build: makes one class-data archive (-XX:ArchiveClassesAtExit) per program, from a run that loads what a usual
# run loads. Start-up is then about half as long. A program without archive works the same, slower; so a failure here is a
# warning and not an error.

# archive_run MODULE ARGUMENTS...: one run of bin/MODULE that leaves its archive behind.
archive_run() {
  archive_module=$1
  shift
  archive_target=$home/$archive_module/target/$archive_module-$java_version.jsa
  rm -f "$archive_target"
  PAGELIFT_ARCHIVE_CLASSES_TO="$archive_target" timeout 120 "$home/bin/$archive_module" "$@" >> "$home/target/class-archives.log" 2>&1 || true
  [ -f "$archive_target" ] || say "no class-data archive was made for $archive_module; it starts slower, see $home/target/class-archives.log."
}

make_class_archives() {
  : > "$home/target/class-archives.log"
  for archive_program in page-server dumper restorer; do
    archive_run "$archive_program" --help
  done
}
