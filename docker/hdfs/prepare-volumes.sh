#!/bin/bash
# Gives HDFS's volumes to the user of its image, and clears what an interrupted format has left: the image formats where the folder
# does not exist, and would start on half of one.
# Blocks without the image that names their files are refused, and so is an image whose VERSION is missing: a new, empty file system
# would start beside them, or in their place.
set -euo pipefail
root=${HDFS_ROOT:-/hadoop/dfs}
owner=${HDFS_OWNER:-hadoop:users}

if [ ! -e "$root/namenode/name/current/VERSION" ]; then
  if [ -e "$root/datanode/data/current/VERSION" ]; then
    cat >&2 <<'TEXT'
error: the volume namenode-data holds no file system, but datanode-data holds blocks of one
Restore namenode-data from a backup; secondarynamenode-data holds the last checkpoint. To begin with an empty file system, remove
the three volumes of HDFS: `docker compose down`, then `docker volume rm` with their names from `docker volume ls`.
TEXT
    exit 1
  fi
  name=$root/namenode/name
  # In any folder of it: during an upgrade or a rollback the image is not in current.
  if [ -e "$name" ] && [ -n "$(find "$name" \( -name 'fsimage_*' -o -name 'edits_*' \) -print -quit)" ]; then
    cat >&2 <<'TEXT'
error: the volume namenode-data holds the files of a file system (fsimage, edits), but not its file current/VERSION
Restore that file, or the volume, from a backup. To begin with an empty file system, remove the three volumes of HDFS:
`docker compose down`, then `docker volume rm` with their names from `docker volume ls`.
TEXT
    exit 1
  fi
  rm -rf "$root/namenode/name"
fi
chown "$owner" "$root/namenode" "$root/secondarynamenode" "$root/datanode"
