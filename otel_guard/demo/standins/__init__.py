"""Local servers that speak the real protocols of Stripe, OpenAI, SMTP, Sentry and OTLP to their official clients."""
