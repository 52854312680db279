#!/bin/sh
# Installs one of the clients that others wrote, pinned, into a folder: install.sh python|node FOLDER
# Where python3 or npm is missing and this is root, Debian's packages are installed first.
set -eu

SIMPLE_SALESFORCE=1.12.10
JSFORCE=3.10.16

need() {
    command -v "$1" > /dev/null 2>&1 && return
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null 2>&1; then
        echo "$1 is missing: install it, or run this as root on Debian" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null
}

case $1 in
python)
    folder=$2/simple-salesforce-$SIMPLE_SALESFORCE
    if [ ! -e "$folder/done" ]; then
        need python3 python3-venv
        rm -rf "$folder"
        python3 -m venv "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check "simple-salesforce==$SIMPLE_SALESFORCE"
        touch "$folder/done"
    fi
    ;;
node)
    folder=$2/jsforce-$JSFORCE
    if [ ! -e "$folder/done" ]; then
        need npm nodejs
        rm -rf "$folder"
        npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --silent "jsforce@$JSFORCE"
        touch "$folder/done"
    fi
    ;;
*)
    echo "install.sh python|node FOLDER" >&2
    exit 1
    ;;
esac
echo "$folder"
