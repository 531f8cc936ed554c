"""Writes dashboards as TypeScript, so that Grafana's published types can check them.

The types of dashboard and panel are Grafana's; values of its string enums are written as their
texts, which `Plain` permits. Queries and variables are left out: their types are not published.
"""

import json
from collections.abc import Iterable

from tests.support.grafana import Dashboard, panels

MODULES = {
    "timeseries": "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen",
    "heatmap": "heatmap/panelcfg/x/HeatmapPanelCfg_types.gen",
    "state-timeline": "statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen",
    "stat": "stat/panelcfg/x/StatPanelCfg_types.gen",
    "bargauge": "bargauge/panelcfg/x/BarGaugePanelCfg_types.gen",
    "table": "table/panelcfg/x/TablePanelCfg_types.gen",
}
WITHOUT_FIELDS = {"stat", "bargauge"}
"""Panels that have no way of their own to draw fields."""

HEAD = """
import type { Dashboard, FieldConfig, Panel } from '@grafana/schema';
type Plain<T> = T extends string ? `${T}`
  : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Head = Omit<Dashboard, 'annotations' | 'templating' | 'panels'>;
type Body<Options, Fields> = Omit<Panel, 'targets' | 'options' | 'fieldConfig'> & {
  targets: object[];
  options: Partial<Options>;
  fieldConfig: {
    defaults: Omit<FieldConfig, 'custom'> & { custom?: Partial<Fields> };
    overrides: { matcher: { id: string; options?: unknown }; properties: { id: string; value?: unknown }[] }[];
  };
};
"""


def typescript(dashboards: Iterable[Dashboard]) -> str:
    """Return a module that compiles if the types permit all dashboards."""
    lines = [HEAD]
    for kind, module in MODULES.items():
        name = _name(kind)
        path = f"@grafana/schema/dist/esm/raw/composable/{module}"
        lines.append(f"import type * as {name} from '{path}';")
        fields = "{}" if kind in WITHOUT_FIELDS else f"{name}.FieldConfig"
        lines.append(f"type {name}Panel = Plain<Body<{name}.Options, {fields}>>;")
    lines.append("type flamegraphPanel = Plain<Body<{}, {}>>;")
    for dashboard in dashboards:
        parts = ("annotations", "templating", "panels")
        head = {key: value for key, value in dashboard.items() if key not in parts}
        lines.append(f"({_json(head)}) satisfies Plain<Head>;")
        lines += [
            f"({_json(panel)}) satisfies {_name(panel['type'])}Panel;"
            for panel in panels(dashboard)
        ]
    return "\n".join([*lines, "export {};", ""])


def _json(value: Dashboard) -> str:
    return json.dumps(value, indent=1)


def _name(kind: str) -> str:
    return kind.replace("-", "")
