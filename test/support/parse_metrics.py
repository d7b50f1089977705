"""Prints what PyPI's prometheus_client reads on standard input, as JSON. Argument: text or openmetrics."""

import json
import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

parsers = {"text": parser, "openmetrics": openmetrics_parser}
families = parsers[sys.argv[1]].text_string_to_metric_families(sys.stdin.buffer.read().decode())
json.dump(
    [
        {
            "name": family.name,
            "type": family.type,
            "unit": family.unit,
            "samples": [
                {
                    "name": sample.name,
                    "labels": sample.labels,
                    "value": sample.value,
                    "exemplar": sample.exemplar and sample.exemplar.labels,
                }
                for sample in family.samples
            ],
        }
        for family in families
    ],
    sys.stdout,
)
