"""Summaries that are not written: 429 is medium."""

import openai


def ask(prompt: str = "[standin: rate limit]") -> None:
    """Ask OpenAI."""
    openai.OpenAI(max_retries=0).chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": prompt}]
    )
