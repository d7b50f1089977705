// Alerts, recording rules and dashboards as a mixin (https://monitoring.mixins.dev). They are read from
// rules/ and grafana/dashboards, and are the same with the default _config.
local groups(text) = std.parseYaml(text).groups;
local alerts = groups(importstr '../rules/sip-keepalive-alerts.yml');
local sites = groups(importstr '../rules/sip-keepalive-sites.yml');
local recordings = groups(importstr '../rules/sip-keepalive-recording.yml');

local defaults = (import 'config.libsonnet')._config;

// The index of the first character that cannot be part of a metric name.
local endOfName(text, i=0) =
  if i < std.length(text) && std.member('abcdefghijklmnopqrstuvwxyz0123456789_', text[i])
  then endOfName(text, i + 1)
  else i;

// A metric without the prefix that all of them have, and what follows it, with one more matcher.
local selected(text, selector) =
  local end = endOfName(text);
  local rest = text[end:];
  text[:end] + '{' + selector + (if std.startsWith(rest, '{') then ',' + rest[1:] else '}' + rest);

// The expression with a matcher for each metric of the exporter. Recorded ones, such as
// destination:sip_keepalive_up:avg1h, are made of those.
local selecting(expr, selector) =
  local parts = std.split(expr, 'sip_keepalive_');
  std.join('sip_keepalive_', [
    if selector == '' || i == 0 || std.endsWith(parts[i - 1], ':')
    then parts[i]
    else selected(parts[i], selector)
    for i in std.range(0, std.length(parts) - 1)
  ]);

(import 'config.libsonnet') + {
  local config = $._config,

  local linked(annotation) = std.strReplace(
    std.strReplace(annotation, defaults.runbookBase, config.runbookBase),
    defaults.exporterUrl,
    config.exporterUrl
  ),

  local configured(rule) =
    rule
    + { expr: selecting(rule.expr, config.selector) }
    + (if std.objectHas(rule, 'alert')
       then { annotations: std.mapWithKey(function(_, text) linked(text), rule.annotations) }
            + std.get(config.alerts, rule.alert, {})
       else {}),

  local isRemoved(rule) =
    std.objectHas(rule, 'alert') && std.get(config.alerts, rule.alert, {}) == null,

  local all(groups) = [
    group { rules: [configured(rule) for rule in group.rules if !isRemoved(rule)] }
    for group in groups
  ],

  // A name that no alert has would change nothing, in silence.
  local names = [
    rule.alert
    for group in alerts + sites
    for rule in group.rules
    if std.objectHas(rule, 'alert')
  ],
  local unknown = std.setDiff(std.objectFields(config.alerts), std.set(names)),
  assert unknown == [] : '_config.alerts: no alert is named ' + std.join(', ', unknown),

  prometheusAlerts+:: { groups+: all(alerts + (if config.sites then sites else [])) },

  prometheusRules+:: { groups+: all(recordings) },

  grafanaDashboards+:: {
    'sip-keepalive-destination.json': import '../grafana/dashboards/sip-keepalive-destination.json',
    'sip-keepalive-exporter.json': import '../grafana/dashboards/sip-keepalive-exporter.json',
    'sip-keepalive-fleet.json': import '../grafana/dashboards/sip-keepalive-fleet.json',
  },
}
