# Sourced by bin/page-server, bin/dumper and bin/restorer: finds a JDK and the built jars, and becomes the program.
# No process is forked on the usual way, so that the short commands stay quick.

# say SENTENCE: to standard error, with the program's name.
say() { printf '%s: %s\n' "$program" "$1" >&2; }

# java_release HOME: sets java_version from the JDK's own "release" file, or asks java when it has none.
java_release() {
  java_version=
  if [ -r "$1/release" ]; then
    while IFS='=' read -r key value; do
      if [ "$key" = JAVA_RUNTIME_VERSION ] || { [ "$key" = JAVA_VERSION ] && [ -z "$java_version" ]; }; then
        java_version=${value#\"}
        java_version=${java_version%\"}
      fi
    done < "$1/release"
  fi
  if [ -z "$java_version" ]; then
    java_version=$("$1/bin/java" -version 2>&1 | sed -n 's/.* version "\([^"]*\)".*/\1/p')
  fi
  java_feature=${java_version%%[!0-9]*}
}

# find_java: sets java_home, java_version and java_feature, or ends with one sentence.
find_java() {
  if [ -n "${JAVA_HOME:-}" ]; then
    java_home=$JAVA_HOME
    if [ ! -x "$java_home/bin/java" ]; then
      say "JAVA_HOME is $java_home, where there is no bin/java; set it to a JDK 17 or newer, or unset it."
      exit 2
    fi
    java_release "$java_home"
  else
    java_home=
    if command -v java > /dev/null 2>&1; then
      java_path=$(readlink -f "$(command -v java)")
      java_home=${java_path%/bin/java}
      java_release "$java_home"
    fi
    if [ -z "$java_home" ] || [ "${java_feature:-0}" -lt 17 ]; then
      for candidate in /usr/lib/jvm/java-17-openjdk-*; do
        if [ -x "$candidate/bin/java" ]; then
          java_home=$candidate
          java_release "$java_home"
        fi
      done
    fi
    if [ -z "$java_home" ]; then
      say "no Java found; install a JDK 17 or newer (on Debian: apt-get install openjdk-17-jdk-headless) or set JAVA_HOME."
      exit 2
    fi
  fi
  if [ "${java_feature:-0}" -lt 17 ]; then
    say "the Java in $java_home is version ${java_version:-unknown}, but 17 or newer is needed; set JAVA_HOME to one."
    exit 2
  fi
}

# module_classpath MODULE: sets classpath to the module's jar and its libraries, in a fixed order (class-data archives need that).
module_classpath() {
  classpath=
  for jar in "$home/$1/target/$1"-*.jar; do
    classpath=$jar
  done
  if [ ! -f "$classpath" ] || [ ! -d "$home/$1/target/lib" ]; then
    say "$1 is not built yet; run $home/bin/build first."
    exit 2
  fi
  for jar in "$home/$1/target/lib"/*.jar; do
    classpath=$classpath:$jar
  done
}

# java_flags MODULE: sets java_flags for this JDK. Heap and direct memory are bounded: the buffers of the programs are pools of
# fixed size, so a process of any size needs no more.
java_flags() {
  direct=96m
  if [ "$1" = page-server ]; then
    # One partly received batch per connection, and what waits for the workers of all.
    direct=128m
  fi
  java_flags="-XX:+UseSerialGC -Xms32m -Xmx96m -XX:MaxDirectMemorySize=$direct -XX:-UsePerfData -Xlog:cds=off -Xlog:cds+dynamic=off"
  if [ "$java_feature" -ge 22 ]; then
    java_flags="$java_flags --enable-native-access=ALL-UNNAMED"
  fi
  if [ "$java_feature" -ge 23 ]; then
    java_flags="$java_flags --sun-misc-unsafe-memory-access=allow"
  fi
  # An archive fits exactly one build of the JVM, hence its name. One that does not fit is ignored by the JVM.
  archive=$home/$1/target/$1-$java_version.jsa
  if [ -n "${PAGELIFT_CLASS_LIST_TO:-}" ]; then
    archive_flag=-XX:DumpLoadedClassList=$PAGELIFT_CLASS_LIST_TO
  elif [ -f "$archive" ]; then
    archive_flag=-XX:SharedArchiveFile=$archive
  else
    archive_flag=-Xshare:auto
  fi
}

# launch_tests_main MAIN_CLASS ARGUMENTS...: a program of the tests module (demo, bench) under a process that reaps what it leaves.
launch_tests_main() {
  main_class=$1
  shift
  find_java
  module_classpath tests
  java_flags tests
  gcc -O1 -Wall -o "$home/target/reaper" "$home/tests/src/main/c/reaper.c"
  # shellcheck disable=SC2086
  exec "$home/target/reaper" "$java_home/bin/java" $java_flags "-Dpagelift.home=$home" -cp "$classpath" "$main_class" "$@"
}

# compiler_flags ARGUMENTS...: sets compiler_flags. Pages are moved by the kernel and checked by machine code that the JVM has from
# the start; the Java around that is compiled well enough by C1 alone, which takes a tenth of a second where both compilers take a
# second or two of two processors just when a round begins. TLS is different unless its engine is native: ciphers are Java until C2
# has replaced them.
compiler_flags() {
  compiler_flags=-XX:TieredStopAtLevel=1
  previous=
  for argument in "$@"; do
    case $previous=$argument in
      *=--tls-engine=openssl | --tls-engine=openssl)
        compiler_flags=-XX:TieredStopAtLevel=1
        break
        ;;
      *=--tls*) compiler_flags= ;;
    esac
    previous=$argument
  done
}

# launch MODULE MAIN_CLASS ARGUMENTS...: never returns.
launch() {
  module=$1
  main_class=$2
  shift 2
  find_java
  module_classpath "$module"
  java_flags "$module"
  compiler_flags "$@"
  # Split on purpose: all are lists of words.
  # shellcheck disable=SC2086
  exec "$java_home/bin/java" $java_flags $compiler_flags "$archive_flag" ${PAGELIFT_JAVA_OPTIONS:-} -cp "$classpath" "$main_class" "$@"
}
