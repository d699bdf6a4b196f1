"""The note that comes with an order, written by OpenAI."""

import os
from typing import Final

import openai
from models import Order

MODEL: Final = os.environ.get("OPENAI_MODEL", "gpt-5-mini")
PLAIN_NOTE: Final = "Thank you for your order. It leaves our kitchen tomorrow morning."
_ROLE: Final = (
    "You pack tea in a small shop. Write two warm, plain sentences to go with an order. No exclamation marks."
)
client = openai.OpenAI(api_key=os.environ.get("OPENAI_API_KEY", "unset"), timeout=15.0)


def write_note(order: Order) -> str:
    """Write two sentences about *order*."""
    asked = (
        f"{order.quantity} x {order.product.name} ({order.product.taste}) for {order.name}. Wish: {order.wish or '-'}"
    )
    done = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "system", "content": _ROLE}, {"role": "user", "content": asked}],
    )
    return done.choices[0].message.content or PLAIN_NOTE
