{{/* What the schema cannot say: values that do not go together. Included once, by operator/deployment.yaml. */}}

{{- define "city-operator.checks" -}}
{{- range $pool, $overrides := .Values.pools }}
{{- $scale := (mustMergeOverwrite (deepCopy $.Values.worker) (default (dict) $overrides)).autoscaling }}
{{- if and $scale.enabled (gt (int $scale.minReplicas) (int $scale.maxReplicas)) }}
{{- fail (printf "pools.%s: autoscaling.minReplicas is %d and autoscaling.maxReplicas %d: raise maxReplicas or lower minReplicas" $pool (int $scale.minReplicas) (int $scale.maxReplicas)) }}
{{- end }}
{{- end }}
{{- if and .Values.evaluation.enabled .Values.migration.enabled (not .Values.migration.reference) }}
{{- fail "evaluation.enabled needs the reference tables: set migration.reference to true, or evaluation.enabled to false" }}
{{- end }}
{{- if and .Values.tracing.enabled (not .Values.tracing.endpoint) }}
{{- fail "tracing.enabled needs a collector: set tracing.endpoint to where it takes OTLP over HTTP, such as http://collector:4318, or tracing.enabled to false" }}
{{- end }}
{{- $election := .Values.operator.election }}
{{- $lease := include "city-operator.milliseconds" $election.leaseDuration | int }}
{{- $renew := include "city-operator.milliseconds" $election.renewDeadline | int }}
{{- $retry := include "city-operator.milliseconds" $election.retryPeriod | int }}
{{- if not (and (gt $lease $renew) (gt $renew $retry)) }}
{{- fail "operator.election: write leaseDuration > renewDeadline > retryPeriod, such as 15s, 10s and 2s" }}
{{- end }}
{{- end }}

{{- define "city-operator.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 }}
{{- $sum := 0 }}
{{- range regexFindAll "[0-9]+(ms|s|m|h)" . -1 }}
{{- $unit := regexFind "[a-z]+" . }}
{{- $sum = add $sum (mul (trimSuffix $unit . | int) (get $units $unit)) }}
{{- end }}
{{- $sum }}
{{- end }}
