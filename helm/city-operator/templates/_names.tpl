{{/* What objects are called, and the labels they carry. */}}

{{- define "city-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* 40 characters leave room for "-worker-<pool>" within the 63 that a label has. */}}
{{- define "city-operator.fullname" -}}
{{- $name := include "city-operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- /* Of objects that belong to the whole cluster, where several releases meet. */}}
{{- define "city-operator.clusterName" -}}
{{- printf "%s-%s" (include "city-operator.fullname" .) .Release.Namespace | trunc 100 | trimSuffix "-" }}
{{- end }}

{{- define "city-operator.workerServiceAccount" -}}
{{- printf "%s-worker" (include "city-operator.fullname" .) }}
{{- end }}

{{- define "city-operator.priorityClassName" -}}
{{- if .Values.priorityClass.create }}
{{- default (include "city-operator.clusterName" .) .Values.priorityClass.name }}
{{- else }}
{{- .Values.priorityClass.name }}
{{- end }}
{{- end }}

{{- /* What finds the Pods of a component: (dict "root" $ "component" "worker"). */}}
{{- define "city-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "city-operator.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "city-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "city-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ include "city-operator.version" .root | quote }}
app.kubernetes.io/part-of: city-operator
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* What workers call their version: the tag, or the beginning of the digest. */}}
{{- define "city-operator.version" -}}
{{- if .Values.image.digest }}
{{- .Values.image.digest | trimPrefix "sha256:" | trunc 12 }}
{{- else }}
{{- default .Chart.AppVersion .Values.image.tag | trunc 63 | trimAll "._-" }}
{{- end }}
{{- end }}

{{- define "city-operator.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- /* (dict "root" $ "pool" "default") */}}
{{- define "city-operator.workerName" -}}
{{- printf "%s-worker-%s" (include "city-operator.fullname" .root) .pool | trunc 63 | trimSuffix "-" }}
{{- end }}
