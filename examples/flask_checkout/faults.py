"""What goes wrong in a shop, at known addresses below /labs (only with SHOP_LABS=1): for trying out, not for copying."""

import csv
import io
import logging

from flask import Blueprint, request
from models import Product, Session
from payments import charge
from sqlalchemy import select, text

logger = logging.getLogger("shop.labs")
labs = Blueprint("labs", __name__, url_prefix="/labs")


@labs.post("/charge-again")
def charge_again() -> dict[str, str]:
    """Charge a saved card: nobody thought of a decline here."""
    return {"payment": charge(500, request.form["payment_method"], request.form["order"])}


@labs.get("/discounts")
def discounts() -> dict[str, int]:
    """Ask for a column that the migration of next week adds."""
    with Session() as session:
        rows = session.execute(
            text("SELECT slug, discount_cents FROM products WHERE discount_cents > :least"), {"least": 0}
        )
        return {str(slug): int(cents) for slug, cents in rows}


@labs.get("/report")
def report() -> dict[str, int]:
    """Count the orders, slowly."""
    with Session() as session:
        slow = text("SELECT count(*) FROM orders, pg_sleep(0.7) WHERE status = :status")
        return {"paid": session.execute(slow, {"status": "paid"}).scalar_one()}


@labs.get("/price-tags")
def price_tags() -> dict[str, str]:
    """Print a tag for every product; one of them has no price."""
    with Session() as session:
        shelf = session.scalars(select(Product)).all()
    prices = {product.slug: product.price_cents for product in shelf if product.price_cents}
    return {product.name: f"{prices[product.slug] / 100:.2f}" for product in shelf}


@labs.get("/opening-hours")
def opening_hours() -> dict[str, str]:
    """Show the hours of a day; asks no database."""
    hours = {"saturday": "10-14", "sunday": "closed"}
    return {"today": hours[request.args.get("day", "monday")]}


@labs.get("/export")
def export() -> str:
    """Write the price list as CSV; what fails is logged and raised again, as in many a shop."""
    out = io.StringIO()
    try:
        with Session() as session:
            rows = [{"slug": product.slug, "ean": None} for product in session.scalars(select(Product))]
        writer = csv.DictWriter(out, ["slug", "price"])
        writer.writerows(rows)
    except ValueError:
        logger.exception("the export of the price list failed")
        raise
    return out.getvalue()
