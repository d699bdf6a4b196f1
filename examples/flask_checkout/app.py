"""A small shop: product pages, a checkout paid by Stripe, a note written by OpenAI, a confirmation by email."""

import logging
import os
import smtplib
from typing import Final

import openai
import stripe
from faults import labs
from flask import Flask, abort, redirect, render_template, request, url_for
from mail import send_receipt
from models import Order, Product, Session, create_tables
from notes import PLAIN_NOTE, write_note
from payments import charge
from sqlalchemy import select
from werkzeug.wrappers import Response

logger = logging.getLogger("shop")

LARGEST_QUANTITY: Final = 10
TEST_CARDS: Final = {
    "pm_card_visa": "4242 4242 4242 4242 · is accepted",
    "pm_card_visa_chargeDeclined": "4000 0000 0000 0002 · is declined",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000 0000 0000 9995 · has too little on it",
}


def create_app() -> Flask:
    """Make the application and, where they are missing, its tables."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    create_tables()
    made = Flask(__name__)
    made.jinja_env.filters["euros"] = euros
    made.add_url_rule("/", view_func=products)
    made.add_url_rule("/products/<slug>", view_func=product)
    made.add_url_rule("/products/<slug>/checkout", view_func=checkout, methods=["POST"])
    made.add_url_rule("/orders/<number>", view_func=order)
    made.add_url_rule("/orders/<number>/receipt", view_func=receipt, methods=["POST"])
    made.register_error_handler(404, lambda _: (render_template("problem.html", kind="missing"), 404))
    made.register_error_handler(500, lambda _: (render_template("problem.html", kind="broken"), 500))
    if os.environ.get("SHOP_LABS") == "1":
        made.register_blueprint(labs)
    return made


def euros(cents: int | None) -> str:
    """Show *cents* as euros."""
    return "on request" if cents is None else f"€ {cents / 100:,.2f}"


def products() -> str:
    """Show all products, or those whose name has the words asked for."""
    wanted = request.args.get("q", "").strip()
    query = select(Product).order_by(Product.position)
    if wanted:
        query = query.where(Product.name.icontains(wanted, autoescape=True))
    with Session() as session:
        return render_template("products.html", products=session.scalars(query).all(), wanted=wanted)


def product(slug: str) -> str:
    """Show one product with the form that buys it."""
    return _product_page(_product(slug))


def checkout(slug: str) -> Response | tuple[str, int]:
    """Take the order, charge the card, write a note, send the confirmation."""
    bought = _product(slug)
    if bought.price_cents is None:
        abort(404)
    if problem := _problem_in(request.form):
        return _product_page(bought, problem), 422
    placed = Order.of(bought, request.form)
    with Session(expire_on_commit=False) as session:
        session.add(placed)
        session.commit()
        try:
            placed.payment_intent = charge(placed.total_cents, request.form["payment_method"], placed.number)
        except stripe.CardError as error:
            placed.status = "declined"
            session.commit()
            why = error.user_message or "Your card was declined."
            return _product_page(bought, f"{why} Nothing was charged: try another card."), 402
        placed.status = "paid"
        placed.note = _note_for(placed)
        session.commit()
        _confirm(placed)
    return redirect(url_for("order", number=placed.number), 303)


def order(number: str) -> str:
    """Thank for an order."""
    return render_template("order.html", order=_order(number), sent_to=request.args.get("sent_to"))


def receipt(number: str) -> Response:
    """Send the receipt to one more address."""
    address = request.form.get("email", "")
    send_receipt(_order(number), address)
    return redirect(url_for("order", number=number, sent_to=address), 303)


def _product(slug: str) -> Product:
    with Session() as session:
        return session.scalar(select(Product).where(Product.slug == slug)) or abort(404)


def _order(number: str) -> Order:
    with Session() as session:
        return session.scalar(select(Order).where(Order.number == number)) or abort(404)


def _product_page(shown: Product, problem: str = "") -> str:
    return render_template("product.html", product=shown, cards=TEST_CARDS, problem=problem, given=request.form)


def _problem_in(form: dict[str, str]) -> str:
    quantity = form.get("quantity", "")
    if not quantity.isdecimal() or not 1 <= int(quantity) <= LARGEST_QUANTITY:
        return f"We send 1 to {LARGEST_QUANTITY} at a time."
    if "@" not in form.get("email", ""):
        return "That email address looks wrong."
    return "" if form.get("name", "").strip() and form.get("payment_method") else "Name and card are missing."


def _note_for(placed: Order) -> str:
    """The note is a nicety: without it the order goes through all the same."""
    try:
        return write_note(placed)
    except openai.OpenAIError as error:
        logger.warning("no note for order %s: %s", placed.number, type(error).__name__)
        return PLAIN_NOTE


def _confirm(placed: Order) -> None:
    """The order is paid: a mail server that is down must not undo that."""
    try:
        send_receipt(placed, placed.email)
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("no confirmation for order %s: %s", placed.number, type(error).__name__)


app = create_app()
