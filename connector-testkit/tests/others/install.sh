#!/bin/sh
# Installs one of the clients that others wrote, pinned, into a folder: install.sh python|node FOLDER
# Where python3 (with its venv module) or npm is missing and this is root, Debian's packages are installed first.
set -eu

SIMPLE_SALESFORCE=1.12.10
JSFORCE=3.10.16

if [ $# != 2 ]; then
    echo "install.sh python|node FOLDER" >&2
    exit 1
fi
root=$2

# Debian's packages that are named; both tests may want some at the same time.
packages() {
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null 2>&1; then
        echo "$* is missing: install it, or run this as root on Debian" >&2
        exit 1
    fi
    (
        flock 9
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null
    ) 9> "$root/packages.lock"
}

case $1 in
python)
    folder=$root/simple-salesforce-$SIMPLE_SALESFORCE
    if [ ! -e "$folder/done" ]; then
        python3 -c 'import ensurepip, venv' 2> /dev/null || packages python3 python3-venv
        rm -rf "$folder"
        python3 -m venv "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check "simple-salesforce==$SIMPLE_SALESFORCE"
        touch "$folder/done"
    fi
    ;;
node)
    folder=$root/jsforce-$JSFORCE
    if [ ! -e "$folder/done" ]; then
        command -v npm > /dev/null 2>&1 || packages npm nodejs
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
