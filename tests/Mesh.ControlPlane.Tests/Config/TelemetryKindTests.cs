using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Config;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.ControlPlane.Tests.Reading;

public class TelemetryKindTests
{
    [Theory]
    [InlineData("{}", "")]
    [InlineData("{tracing: [{randomSamplingPercentage: 100.5}]}", "tracing[0].randomSamplingPercentage must be from 0 to 100, not 100.5.")]
    [InlineData("{tracing: [{providers: [{}]}]}", "tracing[0].providers[0].name must not be empty")]
    [InlineData("{tracing: [{customTags: {a: {literal: {}}, b: {header: {name: \"x y\"}}, c: {environment: {}}, d: {formatter: {}}, e: {}, f: {formatter: {value: \"50%\"}}}}]}", "tracing[0].customTags.a.literal.value must not be empty.|tracing[0].customTags.b.header.name \"x y\" is not the name of a header.|tracing[0].customTags.c.environment.name must not be empty|tracing[0].customTags.d.formatter.value must not be empty.|tracing[0].customTags.e says nothing of its value|tracing[0].customTags.f.formatter.value has a % at position 3 that begins no command")]
    [InlineData("{metrics: [{providers: [{}], reportingInterval: 0s, overrides: [{match: {customMetric: \"\"}, tagOverrides: {a: {}, b: {operation: REMOVE, value: x}, c: {value: bad}}}]}]}", "metrics[0].providers[0].name must not be empty|metrics[0].reportingInterval must be at least 1ms.|metrics[0].overrides[0].match.customMetric must not be empty.|metrics[0].overrides[0].tagOverrides.a.value must not be empty|metrics[0].overrides[0].tagOverrides.b.value may only be set when operation is UPSERT.|metrics[0].overrides[0].tagOverrides.c.value is not an expression in CEL that can be read: bad it is")]
    [InlineData("{accessLogging: [{filter: {}}, {filter: {expression: bad}}, {filter: {expression: response.code >= 400}}]}", "accessLogging[0].filter.expression must not be empty|accessLogging[1].filter.expression is not an expression in CEL that can be read: bad it is")]
    [InlineData("{selector: {matchLabels: {a: b}}, targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g}]}", " only one of targetRefs or workloadSelector can be set")]
    [InlineData("{metrics: [{overrides: [{match: {metric: REQUESTS}}]}]}", "metrics[0].overrides[0].match.metric must be one of ALL_METRICS, REQUEST_COUNT")]
    public void A_Telemetry_is_held_to_istios_rules(string spec, string expected)
    {
        var lines = Read("v1", spec).Diagnostics.Where(found => found.Severity == ConfigSeverity.Error).Select(found => $"{found.Path} {found.Message}").ToArray();
        var wanted = expected.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(line => line[0] == ' ' ? $"spec{line}" : $"spec.{line}").ToArray();

        lines.Length.ShouldBe(wanted.Length, string.Join('\n', lines));
        foreach (var (line, start) in lines.Zip(wanted))
        {
            line.ShouldStartWith(start);
        }
    }

    [Theory]
    [InlineData("{tracing: [{providers: [{name: a}, {name: b}]}]}", "spec.tracing[0].providers has several providers, of which only the first, \"a\", is sent spans.")]
    [InlineData("{tracing: [{}, {}]}", "spec.tracing has several entries")]
    [InlineData("{tracing: [{match: {mode: CLIENT}}, {match: {mode: SERVER}}]}", "")]
    [InlineData("{targetRefs: [{kind: Service, name: a}]}", "spec.targetRefs[0] accepted, but without effect")]
    public void What_is_odd_about_a_Telemetry_is_warned_of(string spec, string expected)
    {
        var text = Read("v1alpha1", spec);

        text.Resources.Count().ShouldBe(1);
        text.Diagnostics.ShouldAllBe(found => found.Severity == ConfigSeverity.Warning);
        var warnings = text.Diagnostics.Select(found => $"{found.Path} {found.Message}").ToArray();
        warnings.Length.ShouldBe(expected.Length == 0 ? 0 : 1, string.Join('\n', warnings));
        warnings.ShouldAllBe(warning => warning.StartsWith(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1alpha1")]
    public void Every_field_is_read_and_none_is_told(string version)
    {
        var text = Read(version, """
            {selector: {matchLabels: {app: a}},
             tracing: [{match: {mode: CLIENT}, providers: [{name: z}], randomSamplingPercentage: 0, disableSpanReporting: false, useRequestIdForTraceSampling: false, enableIstioTags: true,
               disableContextPropagation: true, customTags: {a: {literal: {value: b}}, c: {header: {name: d, defaultValue: e}}, f: {environment: {name: g, defaultValue: h}}, i: {formatter: {value: "%REQ(j)%"}}}}],
             metrics: [{providers: [{name: prometheus}], reportingInterval: 15s, overrides: [{match: {metric: TCP_SENT_BYTES, mode: SERVER}, disabled: true, tagOverrides: {k: {operation: REMOVE}, l: {value: "'m'"}}}]}],
             accessLogging: [{match: {mode: SERVER}, providers: [{name: envoy}], disabled: false, filter: {expression: "true"}}]}
            """);

        text.Diagnostics.ShouldBeEmpty();
        var spec = (Telemetry)text.Resources.Single().Spec;
        spec.Tracing[0].RandomSamplingPercentage.ShouldBe(0);
        spec.Tracing[0].UseRequestIdForTraceSampling.ShouldBe(false);
        spec.Metrics[0].Overrides[0].Match.Metric.ShouldBe(MetricSelector.Types.IstioMetric.TcpSentBytes);
        spec.AccessLogging[0].Match.Mode.ShouldBe(WorkloadMode.Server);
    }

    [Theory]
    [InlineData("extensionProviders: [{name: z, zipkin: {service: zipkin, port: 0}}]", "extensionProviders[0].zipkin.port must be a port from 1 to 65535, not 0.")]
    [InlineData("extensionProviders: [{name: z, zipkin: {service: \"\", port: 1}}]", "extensionProviders[0].zipkin.service \"\" must be the full name of a service")]
    [InlineData("extensionProviders: [{name: z, zipkin: {service: a, port: 1, headers: [{name: \"a b\"}, {name: c, value: \"d\\ne\"}]}}]", "extensionProviders[0].zipkin.headers[0].name \"a b\" is not the name of a header.|extensionProviders[0].zipkin.headers[1].value must not contain control characters.")]
    [InlineData("extensionProviders: [{name: o, opentelemetry: {service: a, port: 1, http: {path: /v1}, grpc: {}}}]", "extensionProviders[0].opentelemetry cannot specify both grpc and http")]
    [InlineData("extensionProviders: [{name: l, envoyFileAccessLog: {logFormat: {text: \"100%\"}}}, {name: m, envoyFileAccessLog: {logFormat: {labels: {a: {b: \"%x\"}}}}}]", "extensionProviders[0].envoyFileAccessLog.logFormat.text has a %|extensionProviders[1].envoyFileAccessLog.logFormat.labels.a.b has a %")]
    [InlineData("accessLogFormat: \"%\"", "accessLogFormat has a %")]
    [InlineData("{accessLogEncoding: JSON, accessLogFormat: \"[1]\"}", "accessLogFormat must be a JSON object")]
    [InlineData("{accessLogEncoding: JSON, accessLogFormat: '{\"a\": \"%\"}'}", "accessLogFormat.a has a %")]
    [InlineData("accessLogFormat: \"%PROTOCOL% %TLS_JA3_FINGERPRINT%\"", "accessLogFormat is not read by data planes: '%PROTOCOL% %TLS_JA3_FINGERPRINT%', position 11: %TLS_JA3_FINGERPRINT% is refused")]
    [InlineData("accessLogFormat: \"%NO_SUCH%\"", "accessLogFormat is not read by data planes: '%NO_SUCH%', position 0: the command 'NO_SUCH' does not exist")]
    [InlineData("{accessLogEncoding: JSON, accessLogFormat: '{\"a\": \"%UPSTREAM_TLS_VERSION%\"}'}", "accessLogFormat.a names %UPSTREAM_TLS_VERSION%, which is known of connections")]
    [InlineData("enableEnvoyAccessLogService: true", "enableEnvoyAccessLogService needs to know where the service is")]
    [InlineData("defaultConfig: {envoyAccessLogService: {address: als, tlsSettings: {mode: SIMPLE}}}", "defaultConfig.envoyAccessLogService.address \"als\" is not a host and a port|defaultConfig.envoyAccessLogService.tlsSettings is not supported: declare the host by a ServiceEntry")]
    [InlineData("defaultConfig: {tracing: {sampling: 101, zipkin: {address: \"zipkin:0\"}, customTags: {a: {}}, tlsSettings: {mode: SIMPLE}}}", "defaultConfig.tracing.zipkin.address \"zipkin:0\" is not a host and a port|defaultConfig.tracing.tlsSettings is not supported|defaultConfig.tracing.sampling must be from 0 to 100, not 101.|defaultConfig.tracing.customTags.a says nothing of its value")]
    public void What_a_MeshConfig_says_of_signals_is_held_to_rules(string config, string expected)
    {
        var lines = ReadMesh(config).Diagnostics.Where(found => found.Severity == ConfigSeverity.Error).Select(found => $"{found.Path} {found.Message}").ToArray();
        var wanted = expected.Split('|').Select(line => $"spec.{line}").ToArray();

        lines.Length.ShouldBe(wanted.Length, string.Join('\n', lines));
        foreach (var (line, start) in lines.Zip(wanted))
        {
            line.ShouldStartWith(start);
        }
    }

    [Theory]
    [InlineData("extensionProviders: [{name: d, datadog: {service: a, port: 1}}]", "spec.extensionProviders[0].datadog accepted, but not yet applied by this version: Datadog's agent takes OTLP, so declare it as an opentelemetry provider.")]
    [InlineData("defaultConfig: {tracing: {lightstep: {address: a}}}", "spec.defaultConfig.tracing.lightstep accepted, but not yet applied by this version: Lightstep takes OTLP")]
    [InlineData("extensionProviders: [{name: o, opentelemetry: {service: a, port: 1, dynatraceSampler: {tenant: t}}}]", "spec.extensionProviders[0].opentelemetry.dynatraceSampler accepted, but not yet applied by this version.")]
    public void What_is_not_applied_is_told_with_the_way_out(string config, string expected)
        => ReadMesh(config).Diagnostics.Where(found => found.Code == "MESH0004").Select(found => $"{found.Path} {found.Message}").ShouldHaveSingleItem().ShouldStartWith(expected);

    [Fact]
    public void A_control_plane_reads_expressions_and_patterns_as_its_data_planes_do()
    {
        using var folder = new TempFolder();
        folder.Write("bad.yaml", """
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: { name: bad }
            spec:
              accessLogging:
                - filter: { expression: "response.code >" }
              metrics:
                - overrides:
                    - tagOverrides: { a: { value: "no_such_function(1)" } }
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: { name: bad }
            spec:
              hosts: [a]
              http:
                - match:
                    - uri: { regex: "(" }
                  route: [{ destination: { host: a } }]
            """);
        using var services = new ServiceCollection().AddMeshControlPlane(options =>
        {
            options.ConfigFolder = folder.Path;
            options.RegistrationsFile = "";
        }).Services.BuildServiceProvider();

        var store = services.GetRequiredService<IConfigStore>();

        store.Current.Resources.ShouldBeEmpty();
        store.Diagnostics.Where(found => found.Severity == ConfigSeverity.Error).Select(found => $"{Path.GetFileName(found.File)}:{found.Line} {found.Path}").ShouldBe(
            ["bad.yaml:9 spec.metrics[0].overrides[0].tagOverrides.a.value", "bad.yaml:6 spec.accessLogging[0].filter.expression", "bad.yaml:18 spec.http[0].match[0].uri.regex"],
            ignoreOrder: true);
    }

    private static ConfigText Read(string version, string spec)
        => Reader().Read($"apiVersion: telemetry.istio.io/{version}\nkind: Telemetry\nmetadata: {{name: t}}\nspec: {spec}\n", "t.yaml");

    private static ConfigText ReadMesh(string config)
        => Reader().Read($"apiVersion: mesh.istio.io/v1alpha1\nkind: MeshConfig\nspec: {(config.StartsWith('{') ? config : $"{{{config}}}")}\n", "mesh.yaml");

    private static ConfigReader Reader() => new(new ConfigReaderOptions { CheckExpression = text => text == "bad" ? "bad it is" : null }, TimeProvider.System);
}
