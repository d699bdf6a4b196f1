"""As `django-admin startproject` writes it."""
# ruff: noqa: PLC0415 - as users write it

import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
