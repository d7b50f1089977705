{{/* A path without slashes at its end, as the exporter reads it: `sip/` is `/sip`, `/` is empty. */}}
{{- define "sip-keepalive-exporter.path" -}}
{{- $parts := without (splitList "/" .path) "" -}}
{{- if or (has "." $parts) (has ".." $parts) -}}
{{ fail (printf "%s: expected a path without . and .., got %q" .name .path) }}
{{- end -}}
{{- range $parts }}/{{ . }}{{ end -}}
{{- end }}

{{/* What is in front of all paths: empty, or such as `/sip`. */}}
{{- define "sip-keepalive-exporter.prefix" -}}
{{- $path := default (urlParse .Values.web.externalUrl).path .Values.web.routePrefix -}}
{{ include "sip-keepalive-exporter.path" (dict "path" $path "name" "web.routePrefix") }}
{{- end }}

{{- define "sip-keepalive-exporter.telemetryPath" -}}
{{ include "sip-keepalive-exporter.path" (dict "path" .Values.web.telemetryPath "name" "web.telemetryPath") }}
{{- end }}

{{/* The endpoint of a ServiceMonitor or Probe: how Prometheus logs in. */}}
{{- define "sip-keepalive-exporter.login" -}}
{{- with .Values.client.basicAuthSecret -}}
basicAuth:
  username: { name: {{ . }}, key: username }
  password: { name: {{ . }}, key: password }
{{ end }}
{{- $tls := deepCopy .Values.client.tlsConfig }}
{{- with .Values.client.certificateSecret }}
{{- $_ := set $tls "cert" (dict "secret" (dict "name" . "key" "tls.crt")) }}
{{- $_ := set $tls "keySecret" (dict "name" . "key" "tls.key") }}
{{- end }}
{{- with $tls -}}
tlsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A command that asks for a URL with a password and a certificate, which a request of the kubelet cannot have. */}}
{{- define "sip-keepalive-exporter.ask" -}}
{{- $client := .root.Values.client -}}
- node
- -e
- |
  {{- .root.Files.Get "files/ask.cjs" | nindent 2 }}
- {{ .url | quote }}
- {{ with $client.basicAuthSecret }}/etc/secrets/{{ . }}{{ else }}''{{ end }}
- {{ with $client.certificateSecret }}/etc/secrets/{{ . }}{{ else }}''{{ end }}
{{- end }}

{{/* The handler of a health check, with its timing. */}}
{{- define "sip-keepalive-exporter.healthProbe" -}}
{{- $client := .root.Values.client -}}
{{- $path := printf "%s%s" (include "sip-keepalive-exporter.prefix" .root) .path -}}
{{- if or $client.basicAuthSecret $client.certificateSecret -}}
exec:
  command:
    {{- include "sip-keepalive-exporter.ask" (dict "root" .root "url" (printf "%s://127.0.0.1:%d%s" $client.scheme (int .root.Values.web.port) $path)) | nindent 4 }}
{{- else -}}
httpGet:
  path: {{ $path }}
  port: http
  {{- if eq $client.scheme "https" }}
  scheme: HTTPS
  {{- end }}
{{- end }}
{{ toYaml .timing }}
{{- end }}
