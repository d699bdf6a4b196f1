"""Products and orders in Postgres."""

import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, create_engine, func, insert, make_url, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker

_URL: Final = make_url(os.environ.get("DATABASE_URL", "postgresql://localhost/shop"))
engine = create_engine(_URL.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=4)
Session = sessionmaker(engine)


class Base(DeclarativeBase):
    """What all tables share."""


class Product(Base):
    """Something to buy; without a price it is made on request."""

    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    origin: Mapped[str]
    taste: Mapped[str]
    colour: Mapped[str]
    price_cents: Mapped[int | None]
    position: Mapped[int]


class Order(Base):
    """One product, some of it, for one customer."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[int]
    total_cents: Mapped[int]
    name: Mapped[str]
    email: Mapped[str]
    wish: Mapped[str]
    status: Mapped[str] = mapped_column(default="pending")
    payment_intent: Mapped[str | None]
    note: Mapped[str | None]
    placed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    product: Mapped[Product] = relationship(lazy="joined")

    @classmethod
    def of(cls, bought: Product, form: Mapping[str, str]) -> "Order":
        """Make the order that *form* asks for; its number cannot be guessed."""
        quantity = int(form["quantity"])
        return cls(
            number=secrets.token_hex(5).upper(),
            product_id=bought.id,
            quantity=quantity,
            total_cents=quantity * (bought.price_cents or 0),
            name=form["name"].strip(),
            email=form["email"].strip(),
            wish=form.get("wish", "").strip(),
        )


_SHELF: Final = (
    (
        "sencha",
        "Sencha Asatsuyu",
        "Kagoshima, Japan",
        "Sweet grass, steamed greens, a little sea air.",
        "#7a9a4b",
        1450,
    ),
    ("oolong", "Dong Ding Oolong", "Nantou, Taiwan", "Roasted nuts, orchid, brown sugar that stays.", "#b9873f", 1890),
    (
        "darjeeling",
        "First Flush Darjeeling",
        "West Bengal, India",
        "Muscatel, apricot skin, brisk as spring.",
        "#c4a24a",
        1650,
    ),
    ("keemun", "Keemun Mao Feng", "Anhui, China", "Cocoa, stone fruit, the faintest smoke.", "#8a4b32", 1290),
    ("rooibos", "Wild Rooibos", "Cederberg, South Africa", "Honey, warm wood, vanilla. No caffeine.", "#b5533c", 980),
    ("tasting-box", "Tasting box", "Our whole shelf", "Twelve teas, chosen for you.", "#5d6b62", None),
)


def create_tables() -> None:
    """Make the tables and fill the shelf; workers that start together wait for each other."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(20260101)"))
        Base.metadata.create_all(connection)
        if connection.scalar(select(func.count()).select_from(Product)) == 0:
            names = ("slug", "name", "origin", "taste", "colour", "price_cents")
            rows = [dict(zip(names, row, strict=True), position=at) for at, row in enumerate(_SHELF)]
            connection.execute(insert(Product), rows)
