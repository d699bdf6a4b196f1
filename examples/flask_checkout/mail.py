"""Receipts by email."""

import os
import smtplib
from email.message import EmailMessage
from typing import Final

from models import Order

_HOST: Final = os.environ.get("SMTP_HOST", "127.0.0.1")
_PORT: Final = int(os.environ.get("SMTP_PORT", "25"))
_SENDER: Final = "Fern & Kettle <orders@fern-and-kettle.example>"


def send_receipt(order: Order, address: str) -> None:
    """Send the receipt of *order* to *address*; `smtplib.SMTPRecipientsRefused` if nobody lives there."""
    message = EmailMessage()
    message["From"] = _SENDER
    message["To"] = address
    message["Subject"] = f"Your order {order.number}"
    message.set_content(
        f"Dear {order.name},\n\n{order.quantity} x {order.product.name}\n"
        f"Paid: {order.total_cents / 100:.2f} EUR\n\n{order.note or ''}\n\nFern & Kettle\n"
    )
    with smtplib.SMTP(_HOST, _PORT, timeout=10) as server:
        server.send_message(message)
