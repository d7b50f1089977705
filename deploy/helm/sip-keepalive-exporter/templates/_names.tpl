{{- define "sip-keepalive-exporter.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of objects. 46 characters leave room for the hash of a pod of a Deployment and of a StatefulSet. */}}
{{- define "sip-keepalive-exporter.fullname" -}}
{{- $name := include "sip-keepalive-exporter.name" . -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 46 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{ .Release.Name | trunc 46 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 46 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "sip-keepalive-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sip-keepalive-exporter.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "sip-keepalive-exporter.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "sip-keepalive-exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The Service of shards is another one: whether a Service is headless cannot be changed. */}}
{{- define "sip-keepalive-exporter.serviceName" -}}
{{ include "sip-keepalive-exporter.fullname" . }}{{ if gt (int .Values.shards) 1 }}-shards{{ end }}
{{- end }}

{{- define "sip-keepalive-exporter.serviceAccountName" -}}
{{- $default := ternary (include "sip-keepalive-exporter.fullname" .) "default" .Values.serviceAccount.create -}}
{{ default $default .Values.serviceAccount.name }}
{{- end }}

{{- define "sip-keepalive-exporter.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end -}}
{{- end }}
