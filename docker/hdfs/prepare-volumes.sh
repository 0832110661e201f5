#!/bin/bash
# Gives HDFS's volumes to the user of its image, and clears what a format that was cut off has left: the image formats
# where the folder does not exist, and would start on half of one.
set -euo pipefail
root=${HDFS_ROOT:-/hadoop/dfs}
owner=${HDFS_OWNER:-hadoop:users}

if [ ! -e "$root/namenode/name/current/VERSION" ]; then
  rm -rf "$root/namenode/name"
fi
chown "$owner" "$root/namenode" "$root/datanode"
