"""What the made-up server answers: return codes, messages and JSON as PBS gives them."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import jobs

INNER = Path(__file__).parent / "inner.py"
SERVER = {"timestamp": 1, "pbs_version": "23.06.06", "pbs_server": "fake"}
VALUED = "NqPAjkoeWSlru"


def parse(arguments: list[str]) -> tuple[dict, list[str]]:
    """Options of qsub (several -l and -W are kept) and what follows them."""
    options, rest, position = {"-l": {}, "flags": []}, [], 0
    while position < len(arguments):
        word = arguments[position]
        if re.fullmatch(f"-[{VALUED}]", word):
            value = arguments[position + 1]
            position += 1
            if word == "-l":
                options["-l"] |= dict(part.split("=", 1) for part in value.split(","))
            elif word == "-W" and value.startswith("umask="):
                options["umask"] = value[6:]
            else:
                options[word] = value
        elif word.startswith("-"):
            options["flags"].append(word)
        else:
            rest.append(word)
        position += 1
    return options, rest


def qsub(server, arguments, user, faults):
    options, rest = parse(arguments)
    if "refuse" in faults:
        code, text = faults["refuse"]
        return code, "", f"qsub: {text}\n"
    queue = options.get("-q", "cpuq")
    if queue not in server.settings["queues"]:
        return 170, "", "qsub: Unknown queue\n"
    if not re.fullmatch(r"[^/=@\s]{1,230}", options.get("-N", "STDIN")):
        return 2, "", "qsub: illegal -N value\nusage: qsub [-a date_time] [-A account_string]\n"
    try:
        wanted = chunk(options["-l"])
    except KeyError as error:
        return 187, "", f"qsub: Unknown resource: {error.args[0]}\n"
    except ValueError as error:
        return 166, "", f"qsub: Illegal attribute or resource value {error}\n"
    limits = server.settings["queues"][queue]
    if any(wanted.get(name, 0) > limit for name, limit in limits.items()):
        return 188, "", "qsub: Job violates queue and/or server resource limits\n"
    job = accept(server, options, rest[0], wanted, queue, user, faults)
    if faults.get("lost", 0) > server.lost:
        server.lost += 1
        return 183, "", "qsub: Premature end of message\n"
    return 0, f"{job.id}\n", ""


def chunk(requested: dict) -> dict:
    """What `-l select=1:...` and `-l walltime=` ask for."""
    wanted = {"ncpus": 1, "ngpus": 0, "mem": 0, "walltime": int(requested.get("walltime", 0))}
    for part in requested.get("select", "1").split(":")[1:]:
        name, _, value = part.partition("=")
        if name not in ("ncpus", "ngpus", "mem", "arch"):
            raise KeyError(name)
        if name != "arch":
            wanted[name] = jobs.megabytes(value) if name == "mem" else int(value)
    return wanted


def accept(server, options, script, wanted, queue, user, faults):
    server.count += 1
    job_id = f"{server.count}.fake"
    spooled = server.folder / f"{server.count}.SC"
    shutil.copy(script, spooled)
    stub = server.settings["stub"]
    if server.parent and not faults.get("typed"):
        stub = f"{sys.executable} -S -E {INNER}"
    if stub:
        text = re.sub(r"\S+ -m snakemake", stub, spooled.read_text())
        spooled.write_text(text)
    if faults.get("blind"):  # a node that does not see the folder
        spooled.write_text(spooled.read_text().replace(".snakemake/pbspro", ".snakemake/unseen"))
    options["script"] = script
    job = jobs.Job(
        job_id, options.get("-N", "STDIN"), queue, str(spooled), options, wanted["ncpus"],
        wanted["ngpus"], wanted["mem"], wanted["walltime"], user, typed=bool(faults.get("typed")),
    )  # fmt: skip
    server.jobs[job_id] = job
    return job


def qselect(server, arguments, user, faults):
    name = arguments[arguments.index("-N") + 1] if "-N" in arguments else None
    found = [
        job.id
        for job in server.jobs.values()
        if job.state != "F" and name in (None, job.name) and job.user == user
    ]
    return 0, "".join(f"{job_id}\n" for job_id in found), ""


def qstat(server, arguments, user, faults):
    if "-Bf" in arguments:
        kept = faults.get("history") is not False
        return 0, f"Server: fake\n    server_state = Active\n    job_history_enable = {kept}\n", ""
    if "-B" in arguments:
        return 0, "Server             Max   Tot   Que   Run\nfake  0  0  0  0\n", ""
    past, answers, code, errors = "-x" in arguments, [], 0, ""
    if past and faults.get("history") is False:
        return 0, json.dumps(SERVER), "qstat: PBS is not configured to maintain job history\n"
    for job_id in [word for word in arguments if word[0].isdigit()]:
        job = find(server, job_id)
        if job is None or job_id.split(".")[0] in faults.get("unknown", []):
            code, errors = 153, errors + f"qstat: Unknown Job Id {job_id}\n"
        elif job.state == "F" and not past:
            code, errors = (
                35,
                errors + f"qstat: {job_id} Job has finished, use -x or -H to obtain it\n",
            )
        else:
            answers.append(json.dumps(form(job), indent=4))
    # Several ids come back as several documents, which is no JSON.
    return code, "\n".join(answers) or json.dumps(SERVER), errors


def form(job) -> dict:
    """One job as `qstat -f -F json` prints it."""
    shown = {
        "Job_Name": job.name,
        "Job_Owner": f"{job.user}@login",
        "job_state": job.state,
        "queue": job.queue,
        "substate": job.substate,
        "comment": job.comment,
        "Resource_List": {
            "mem": f"{job.mem_kb}kb",
            "ncpus": job.ncpus,
            "walltime": jobs.clock(job.walltime),
        },
    }
    if job.started:
        used = (job.ended or job.started) - job.started
        shown["resources_used"] = {"mem": f"{job.peak_kb}kb", "walltime": jobs.clock(used)}
    if job.exit_status is not None:
        shown["Exit_status"] = job.exit_status
    return {**SERVER, "Jobs": {job.id: shown}}


def qdel(server, arguments, user, faults):
    code, errors = 0, ""
    for job_id in arguments:
        job = find(server, job_id)
        if job is None:
            code, errors = 153, errors + f"qdel: Unknown Job Id {job_id}\n"
        elif job.state == "F":
            code, errors = 35, errors + f"qdel: Job has finished {job_id}\n"
        elif not faults.get("stuck"):
            delete(server, job, user, faults.get("deleted_as", 271))
    return code, "", errors


def delete(server, job, user, status):
    if job.state == "Q":
        job.state, job.substate = "F", 91
        job.comment = (job.comment or "Job was queued") + " and terminated"
    elif not job.killing:
        delay = server.settings["kill_delay"]
        jobs.kill(job, status, f"terminated by {user}@{os.uname().nodename}", delay)


def find(server, job_id):
    number = job_id.split(".")[0]
    return next((j for key, j in server.jobs.items() if key.split(".")[0] == number), None)
