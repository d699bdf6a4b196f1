"""Celery tasks that know nothing of who watches them; the broker is a folder."""
# ruff: noqa: ANN001, PTH118, TID251, TRY301 - as users write it

import os
import signal
import time

import celery

folder = os.environ["QUEUE_FOLDER"]
app = celery.Celery("queue_shop", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": folder,
    "data_folder_out": folder,
    "control_folder": os.path.join(folder, "control"),
}


@app.task
def add(one, two):
    return one + two


@app.task
def bug(key):
    return {}[key]


@app.task(throws=(LookupError,))
def expected(key):
    return {}[key]


@app.task(bind=True, max_retries=1)
def flaky(self):
    try:
        raise ConnectionError("the warehouse is away")
    except ConnectionError as error:
        raise self.retry(exc=error, countdown=0) from error


@app.task
def dies():
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(time_limit=1)
def hangs():
    time.sleep(60)
