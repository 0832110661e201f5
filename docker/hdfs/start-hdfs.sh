#!/bin/bash
# Runs a server of HDFS as the container's own process, so that `java` receives the stop signal of Docker.
# Usage: start-hdfs.sh namenode|secondarynamenode|datanode
set -euo pipefail

# The image's entry point writes Hadoop's configuration from the environment and formats a new NameNode. It runs the command that it is
# given as a child, and the signal would end at the shell between.
"${HADOOP_STARTER:-/opt/starter.sh}" true

exec hdfs "$@"
