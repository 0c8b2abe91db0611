{{- define "city-operator.egressDns" -}}
- ports:
    - { port: 53, protocol: UDP }
    - { port: 53, protocol: TCP }
{{- end }}

{{- define "city-operator.egressDatabase" -}}
- ports:
    {{- range .Values.networkPolicy.databasePorts }}
    - { port: {{ int . }}, protocol: TCP }
    {{- end }}
{{- end }}

{{- define "city-operator.egressApiServer" -}}
- ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - { port: {{ int . }}, protocol: TCP }
    {{- end }}
{{- end }}

{{- /* To the port in the collector's address, or that of its protocol. */}}
{{- define "city-operator.egressTracing" -}}
{{- if .Values.tracing.enabled }}
{{- $url := urlParse .Values.tracing.endpoint }}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) }}
- ports:
    - { port: {{ $port | default (ternary "443" "80" (eq $url.scheme "https")) | int }}, protocol: TCP }
{{- end }}
{{- end }}

{{- define "city-operator.ingressProbes" -}}
- ports:
    - { port: probes, protocol: TCP }
  {{- with .Values.networkPolicy.metricsFrom }}
  from:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
