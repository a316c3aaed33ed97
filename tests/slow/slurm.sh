#!/bin/bash
# A Slurm of one node on this machine: Debian's slurm-wlm with munge, slurmdbd and MariaDB.
#
#   slurm.sh install         packages (root, Debian or Ubuntu)
#   slurm.sh up FOLDER       start all daemons; logs, spool and database in FOLDER
#   slurm.sh down FOLDER     stop what `up` started
#
# Nothing is written outside FOLDER but /etc/slurm/*.conf, /run/munge and /etc/munge/munge.key.
set -euo pipefail

CORES=$(nproc)
HOST=$(hostname -s)

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    # Packages start no daemon: `up` does.
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    apt-get install -y -q --no-install-recommends slurm-wlm slurmdbd munge mariadb-server
    rm /usr/sbin/policy-rc.d
}

write_settings() {
    mkdir -p /etc/slurm "$1"/{ctld,d,log,db,run}
    cat > /etc/slurm/slurm.conf <<EOF
ClusterName=one
SlurmctldHost=$HOST
AuthType=auth/munge
SlurmUser=root
StateSaveLocation=$1/ctld
SlurmdSpoolDir=$1/d
SlurmctldPidFile=$1/run/slurmctld.pid
SlurmdPidFile=$1/run/slurmd.pid
SlurmctldLogFile=$1/log/slurmctld.log
SlurmdLogFile=$1/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=$HOST
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=10
GresTypes=gpu
NodeName=$HOST CPUs=$((CORES * 4)) RealMemory=$(($(awk '/MemTotal/{print $2}' /proc/meminfo) / 1100)) Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes=$HOST Default=YES MaxTime=2880 State=UP
PartitionName=gpu Nodes=$HOST MaxTime=2880 State=UP
EOF
    echo "NodeName=$HOST Name=gpu File=/dev/zero" > /etc/slurm/gres.conf
    cat > /etc/slurm/slurmdbd.conf <<EOF
AuthType=auth/munge
DbdHost=$HOST
SlurmUser=root
StorageType=accounting_storage/mysql
StorageUser=slurm
StoragePass=only-here
StorageLoc=slurm_acct_db
LogFile=$1/log/slurmdbd.log
PidFile=$1/run/slurmdbd.pid
EOF
    chmod 600 /etc/slurm/slurmdbd.conf
}

start_database() {
    chown -R mysql "$1/db"
    [ -d "$1/db/mysql" ] || mariadb-install-db --user=mysql --datadir="$1/db" --auth-root-authentication-method=socket > "$1/log/db.log"
    mkdir -p /run/mysqld && chown mysql /run/mysqld
    mariadbd --user=mysql --datadir="$1/db" --pid-file="$1/db/mariadb.pid" \
        --innodb-lock-wait-timeout=900 > "$1/log/mariadb.log" 2>&1 &
    for _ in $(seq 400); do mariadb -e 'select 1' > /dev/null 2>&1 && break; sleep 0.3; done
    mariadb -e "create database if not exists slurm_acct_db; grant all on slurm_acct_db.* to 'slurm'@'localhost' identified by 'only-here'"
}

start_munge() {
    mkdir -p /run/munge /var/log/munge /var/lib/munge
    chown -R munge /run/munge /var/log/munge /var/lib/munge
    [ -s /etc/munge/munge.key ] || { dd if=/dev/urandom of=/etc/munge/munge.key bs=1024 count=1 status=none; }
    chown munge /etc/munge/munge.key && chmod 400 /etc/munge/munge.key
    runuser -u munge -- munged --force --pid-file=/run/munge/munged.pid
}

up() {
    write_settings "$1"
    start_munge
    start_database "$1"
    slurmdbd
    for _ in $(seq 300); do sacctmgr -n list cluster > /dev/null 2>&1 && break; sleep 0.3; done
    sacctmgr -i add cluster one > /dev/null 2>&1 || true
    sacctmgr -i add account lab Cluster=one > /dev/null 2>&1 || true
    sacctmgr -i add user "$(id -un)" Account=lab > /dev/null 2>&1 || true
    slurmctld
    slurmd
    for _ in $(seq 400); do sinfo -h -t idle -o %n | grep -q . && return; sleep 0.3; done
    echo "Slurm did not come up: see $1/log" >&2
    exit 1
}

down() {
    for pid in "$1"/run/slurmd.pid "$1"/run/slurmctld.pid "$1"/run/slurmdbd.pid "$1"/db/mariadb.pid; do
        [ -s "$pid" ] && kill "$(cat "$pid")" 2> /dev/null || true
    done
    [ -s /run/munge/munged.pid ] && kill "$(cat /run/munge/munged.pid)" 2> /dev/null || true
}

case "${1-}" in
    install) install_packages ;;
    up) up "$2" ;;
    down) down "$2" ;;
    *) echo "slurm.sh install | up FOLDER | down FOLDER" >&2; exit 2 ;;
esac
