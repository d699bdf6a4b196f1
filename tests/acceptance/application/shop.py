"""A shop that knows nothing of who watches it: one page a way to fail."""

import logging
import os
import smtplib
from email.message import EmailMessage

import flask
import openai
import sqlalchemy
import stripe
from sqlalchemy.pool import NullPool

app = flask.Flask(__name__)
log = logging.getLogger("shop")
engine = sqlalchemy.create_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool
)
payments = stripe.StripeClient(
    os.environ["STRIPE_API_KEY"], base_addresses={"api": os.environ["STRIPE_API_BASE"]}, max_network_retries=0
)


@app.after_request
def say_who(response: flask.Response) -> flask.Response:
    response.headers["X-Pid"] = str(os.getpid())
    return response


@app.get("/")
def front() -> str:
    return "open"


@app.get("/pay/<method>")
def pay(method: str) -> str:
    charge(method)
    return "paid"


@app.get("/pay-or-not/<method>")
def pay_or_not(method: str) -> tuple[str, int]:
    try:
        charge(method)
    except stripe.CardError as error:
        return str(error.user_message), 402
    return "paid", 200


@app.get("/stock")
def stock() -> str:
    with engine.connect() as connection:
        return str(connection.execute(sqlalchemy.text("SELECT count(*) FROM no_such_table")).scalar())


@app.get("/bug")
def bug() -> str:
    return str({}["price"])


@app.get("/logged")
def logged() -> str:
    try:
        return str(1 // int("0"))
    except ZeroDivisionError:
        log.exception("no price")
        raise


@app.get("/mail/<name>")
def mail(name: str) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@example.com", f"{name}@example.com", "Your order"
    message.set_content("It is on its way.")
    with smtplib.SMTP("127.0.0.1", int(os.environ["SMTP_PORT"]), timeout=5) as server:
        server.send_message(message)
    return "sent"


@app.get("/summary")
def summary() -> str:
    prompt = "[standin: rate limit]"
    answer = openai.OpenAI(max_retries=0).chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": prompt}]
    )
    return str(answer.choices[0].message.content)


def charge(method: str) -> None:
    payments.v1.payment_intents.create(
        {"amount": 500, "currency": "eur", "confirm": True, "payment_method": method, "payment_method_types": ["card"]}
    )
