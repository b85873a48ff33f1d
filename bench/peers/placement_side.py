"""What Placement does with a description: run by the peers' Python, JSON in and out.

Its WSGI application is loaded in this process on an SQLite file, and asked
``GET /allocation_candidates`` as Nova's scheduler asks it. The providers stand as
Nova reports them: cards directly below their host.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
import uuid

from oslo_config import cfg
from placement import conf as placement_conf
from placement import db_api, deploy
from placement.db.sqlalchemy import models

LIMIT = 1000  # Nova's [scheduler] max_placement_results
WIDE = (
    ("placement", "max_allocation_candidates", LIMIT),
    ("placement", "allocation_candidates_generation_strategy", "breadth-first"),
    ("workarounds", "optimize_for_wide_provider_trees", True),
)


def main() -> None:
    job = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        app = _load(f"sqlite:///{folder}/placement.db", job.get("tuned", False))
        _fill(app, job["hosts"])
        query = _query(job["request"])
        print(json.dumps({"ready": True}), flush=True)
        seconds, found = [], 0
        for _ in range(job.get("times", 1)):
            start = time.thread_time()
            answer = _ask(app, "GET", "/allocation_candidates", query)
            seconds.append(time.thread_time() - start)
            found = len(answer["allocation_requests"])
        print(json.dumps({"seconds": seconds, "found": found}), flush=True)


def _load(connection, tuned):
    config = cfg.ConfigOpts()
    placement_conf.register_opts(config)
    group = "placement_database"
    config.set_override("connection", connection, group=group)
    config.set_override("sync_on_startup", override=True, group=group)
    config.set_override("auth_strategy", "noauth2", group="api")
    for group, name, value in WIDE if tuned else ():
        config.set_override(name, value, group=group)
    config([], project="placement", default_config_files=[], default_config_dirs=[])
    return deploy.loadapp(config)


def _ask(app, method, path, query=""):
    told = []
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_X_AUTH_TOKEN": "admin",
        "HTTP_OPENSTACK_API_VERSION": "placement 1.39",
        "HTTP_ACCEPT": "application/json",
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": "0",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    body = b"".join(app(environ, lambda status, *_: told.append(status)))
    if told[0][0] != "2":
        raise SystemExit(f"{method} {path}?{query}: {told[0]} {body.decode()}")
    return json.loads(body) if body else {}


def _query(request):
    cpus = sum(cell[0] for cell in request["cells"])
    memory = sum(cell[1] for cell in request["cells"])
    parts = [f"limit={LIMIT}", f"resources=PCPU:{cpus},MEMORY_MB:{memory}"]
    parts += [
        f"resources_r{number}-{one}={_class_of(asked['product'])}:1"
        for number, asked in enumerate(request["asked"])
        for one in range(asked["count"])
    ]
    return "&".join([*parts, "group_policy=none"])


def _class_of(product):
    return f"CUSTOM_PCI_8086_{product.upper()}"


def _fill(app, hosts):
    """Write the fleet's rows: one call for each provider would take minutes."""
    for product in {d["product"] for host in hosts for d in host["devices"]}:
        _ask(app, "PUT", f"/resource_classes/{_class_of(product)}")
    engine = db_api.placement_context_manager.writer.get_engine()
    with engine.begin() as connection:
        classes = models.ResourceClass.__table__
        rows = connection.execute(classes.select()).all()
        ids = {row.name: row.id for row in rows}
        providers, inventories, allocations = [], [], []
        for host in hosts:
            _host_rows(host, ids, providers, inventories, allocations)
        for model, found in (
            (models.ResourceProvider, providers),
            (models.Inventory, inventories),
            (models.Allocation, allocations),
        ):
            if found:
                connection.execute(model.__table__.insert(), found)


def _host_rows(host, ids, providers, inventories, allocations):
    root = len(providers) + 1
    providers.append(_provider(root, host["uuid"], host["name"], root, None))
    cpus = sum(cell["cores"] * cell["threads"] for cell in host["cells"])
    memory = sum(cell["memory_mb"] for cell in host["cells"])
    inventories += [
        _inventory(root, ids["PCPU"], cpus),
        _inventory(root, ids["MEMORY_MB"], memory),
    ]
    at, classes, totals = {}, {}, {}
    for device in host["devices"]:
        card = device["card"]
        classes[card] = ids[_class_of(device["product"])]
        totals[card] = totals.get(card, 0) + 1
        at[device["address"]] = card
    numbers = {}
    for card, total in totals.items():
        numbers[card] = len(providers) + 1
        name = f"{host['name']}_{card.upper()}"
        providers.append(_provider(numbers[card], str(uuid.uuid4()), name, root, root))
        inventories.append(_inventory(numbers[card], classes[card], total))
    for guest in host["guests"]:
        consumer = str(uuid.uuid4())
        amounts = {
            (root, ids["PCPU"]): len(guest["cpus"]),
            (root, ids["MEMORY_MB"]): guest["memory_mb"],
        }
        for address in guest["devices"]:
            key = numbers[at[address]], classes[at[address]]
            amounts[key] = amounts.get(key, 0) + 1
        allocations += [
            {
                "resource_provider_id": provider,
                "consumer_id": consumer,
                "resource_class_id": class_id,
                "used": used,
            }
            for (provider, class_id), used in amounts.items()
        ]


def _provider(number, uuid_, name, root, parent):
    return {
        "id": number,
        "uuid": uuid_,
        "name": name,
        "generation": 0,
        "root_provider_id": root,
        "parent_provider_id": parent,
    }


def _inventory(provider, class_id, total):
    return {
        "resource_provider_id": provider,
        "resource_class_id": class_id,
        "total": total,
        "reserved": 0,
        "min_unit": 1,
        "max_unit": total,
        "step_size": 1,
        "allocation_ratio": 1.0,
    }


if __name__ == "__main__":
    main()
