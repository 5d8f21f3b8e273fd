"""Checks that a file is OpenAPI 3.1."""

import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator

OpenAPIV31SpecValidator(json.load(open(sys.argv[1], encoding="utf-8"))).validate()
print("all good")
