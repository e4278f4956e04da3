"""The Python side of test/hubProcesses.test.ts: huggingface_hub on a cache folder that pleiad shares.

Needs huggingface_hub (checked with 2.4.0). Environment: HF_HUB_CACHE, HF_ENDPOINT. Prints one JSON object.
"""

import json
import os
import sys

import huggingface_hub
from huggingface_hub import _CACHED_NO_EXIST, hf_hub_download, scan_cache_dir, snapshot_download, try_to_load_from_cache
from huggingface_hub.utils import WeakFileLock


def read(repository, present, absent):
    """What Python finds in the cache without a network."""
    paths = {name: hf_hub_download(repository, name, local_files_only=True) for name in present}
    report = scan_cache_dir()
    return {
        "paths": paths,
        "sizes": {name: os.path.getsize(path) for name, path in paths.items()},
        "absent": [name for name in absent if try_to_load_from_cache(repository, name) is _CACHED_NO_EXIST],
        "snapshot": snapshot_download(repository, local_files_only=True),
        "warnings": [str(warning) for warning in report.warnings],
        "repositories": sorted(repo.repo_id for repo in report.repos),
        "refs": sorted(ref for repo in report.repos for revision in repo.revisions for ref in revision.refs),
    }


def fetch(repository, present, absent):
    """Fetches from the endpoint, whatever the cache does not have."""
    paths = {name: hf_hub_download(repository, name) for name in present}
    for name in absent:
        try:
            hf_hub_download(repository, name)
        except huggingface_hub.errors.EntryNotFoundError:
            pass
    return {"paths": paths}


def hold(path):
    """Holds a lock as downloads do, until standard input ends."""
    with WeakFileLock(path):
        print(json.dumps({"held": True}), flush=True)
        sys.stdin.read()
    return {"held": False}


def take(path):
    """Whether a lock can be taken within half a second."""
    from filelock import Timeout

    try:
        with WeakFileLock(path, timeout=0.5):
            return {"taken": True}
    except Timeout:
        return {"taken": False}


ACTIONS = {"read": read, "fetch": fetch, "hold": hold, "take": take}

if __name__ == "__main__":
    if sys.argv[1:] == ["version"]:
        print(json.dumps({"version": huggingface_hub.__version__}))
    else:
        print(json.dumps(ACTIONS[sys.argv[1]](**json.loads(sys.argv[2]))), flush=True)
