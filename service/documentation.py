"""The page at /docs: what the service says of itself at /openapi.json, without a script from elsewhere."""

import html
import json
from typing import Any

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What there is</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 48rem; padding: 1rem; }
  h2 { font-size: 1.05rem; margin: 1.6rem 0 .2rem; }
  code, pre { font: 14px/1.4 ui-monospace, monospace; }
  pre { border: 1px solid #8888; border-radius: 6px; padding: .6rem; overflow-x: auto; }
</style>
</head>
<body>
<h1>What there is</h1>
"""


def page(description: dict[str, Any]) -> str:
    """Return the page.

    Args:
        description: The service's own, as OpenAPI has it.
    """
    parts = [HEAD, f"<p>{html.escape(description['info']['description'])}</p>"]
    for address, methods in description["paths"].items():
        for method, operation in methods.items():
            parts.append(f"<h2><code>{method.upper()} {html.escape(address)}</code></h2>")
            parts.append(f"<p>{html.escape(operation.get('description', ''))}</p>")
            example = _example(description, operation)
            if example is not None:
                shown = (
                    json.dumps(example, ensure_ascii=False).replace("0, " * 20, "").replace("0, 0]", "0, …]")
                )
                parts.append(f"<p>For example:</p><pre>{html.escape(shown)}</pre>")
    parts.append('<p>The whole description, for programs: <a href="openapi.json">openapi.json</a></p>')
    return "\n".join([*parts, "</body>", "</html>", ""])


def _example(description: dict[str, Any], operation: dict[str, Any]) -> Any:
    """Return the example of a request's body; `None` where a request has none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return description.get("components", {}).get("schemas", {}).get(name, {}).get("example")
