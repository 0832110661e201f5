#!/bin/sh
# Runs the Python of a Spark driver, once the files that it loads are those that were submitted. They lie in HDFS, where everybody can
# write, and Spark fetches them again at each start of a driver. The submission, which the master keeps, names them in
# CRYPTOPIPE_PROGRAM_FILES as `name:sha256`, the program first. Without that variable nothing is checked.
# Usage, by PYSPARK_DRIVER_PYTHON on a worker: driver-python.sh program.py [argument...]
set -euf

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# The line is what cryptopipe shows as the reason. Spark would start a supervised driver again, which would fetch the same file: the
# submission of one asks for exit code 0, with which it ends.
refuse() {
  echo "ProgramRefused: $1"
  exit "${CRYPTOPIPE_REFUSED_EXIT_CODE:-1}"
}

require() { # path name sha256
  found=$(sha256 <"$1")
  [ "$found" = "$3" ] || refuse "$2 has SHA-256 $found, but $3 was submitted"
}

# A file that Python imports from: an entry of its path (zip), or in a folder of it; the first of its name, as Python takes it.
require_import() { # name sha256
  is_found=no
  IFS=:
  for entry in ${PYTHONPATH:-}; do
    for path in "$entry" "$entry/$1"; do
      case $path in */"$1") ;; *) continue ;; esac
      [ -f "$path" ] && [ $is_found = no ] || continue
      is_found=yes
      require "$path" "$1" "$2"
    done
  done
  unset IFS
  [ $is_found = yes ] || refuse "$1, which was submitted, is not on Python's path"
}

is_program=yes
for file in ${CRYPTOPIPE_PROGRAM_FILES:-}; do
  if [ $is_program = yes ]; then
    require "$1" "${file%:*}" "${file##*:}"
  else
    require_import "${file%:*}" "${file##*:}"
  fi
  is_program=no
done

exec "${PYSPARK_PYTHON:-python3}" "$@"
