using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Reading;

namespace Mesh.ControlPlane.Tests.Reading;

public class ProxyConfigKindTests
{
    [Theory]
    [InlineData("{environmentVariables: {POD_NAME: a, B: \"\"}, selector: {matchLabels: {app: a}}}", "")]
    [InlineData("{concurrency: -1}", "Error spec.concurrency must be greater than or equal to 0, not -1.")]
    [InlineData("{environmentVariables: {\"a=b\": c}}", "Error spec.environmentVariables \"a=b\" is not the name of a variable.")]
    [InlineData("{selector: {matchLabels: {\"a*\": b}}}", "Error spec.selector.matchLabels[\"a*\"] wildcard is not supported")]
    [InlineData("{concurrency: 0}", "Warning spec.concurrency accepted, but not yet applied by this version: a process schedules its own threads")]
    [InlineData("{image: {imageType: distroless}}", "Warning spec.image accepted, but not yet applied by this version: there is no proxy beside a process.")]
    [InlineData("{environmentVariables: {ISTIO_META_DNS_CAPTURE: \"true\"}}", "Warning spec.environmentVariables.ISTIO_META_DNS_CAPTURE accepted, but only custom tags of spans find it")]
    [InlineData("{tracing: {sampling: 1}}", "Error spec.tracing ProxyConfig has no field \"tracing\"")]
    public void A_ProxyConfig_is_held_to_istios_rules_and_what_is_not_applied_is_told(string spec, string expected)
    {
        var read = new ConfigReader(ConfigReaderOptions.Default, TimeProvider.System)
            .Read($"apiVersion: networking.istio.io/v1beta1\nkind: ProxyConfig\nmetadata: {{name: p}}\nspec: {spec}\n", "p.yaml");

        Check([.. read.Diagnostics.Select(found => $"{found.Severity} {found.Path} {found.Message}")], expected);
        read.Resources.Count().ShouldBe(expected.StartsWith("Error", StringComparison.Ordinal) ? 0 : 1);
    }

    [Theory]
    [InlineData("tracing:\n  sampling: 50\n  zipkin: {address: zipkin.istio-system:9411}\nproxyMetadata: {A: b}\nproxyHeaders: {requestId: {disabled: true}}\n", true, "")]
    [InlineData("{\"tracing\": {\"sampling\": 50}}", true, "")]
    [InlineData("concurrency: 2\nholdApplicationUntilProxyStarts: true\n", true, "line 1: concurrency accepted, but not yet applied by this version: a process schedules its own threads|line 2: holdApplicationUntilProxyStarts accepted")]
    [InlineData("proxyStatsMatcher: {inclusionPrefixes: [cluster]}\n", true, "line 1: proxyStatsMatcher accepted, but not yet applied by this version: a process counts everything")]
    [InlineData("tracing: {sampling: 101}", false, "line 1: tracing.sampling must be from 0 to 100, not 101.")]
    [InlineData("tracing:\n  tlsSettings: {mode: SIMPLE}\n", false, "line 2: tracing.tlsSettings is not supported")]
    [InlineData("traicng: {}", false, "line 1: traicng")]
    [InlineData("- a", false, "line 1:")]
    [InlineData("a: [", false, "line 2: this is not YAML")]
    [InlineData("", false, "it is empty")]
    [InlineData("{}\n---\n{}\n", false, "it has several documents")]
    public void An_annotation_is_read_as_the_defaultConfig_is(string text, bool isUsed, string expected)
    {
        var problems = new List<string>();
        var annotation = ProxyConfigAnnotation.Read(text, problems);

        (annotation is not null).ShouldBe(isUsed);
        Check([.. problems], expected);
    }

    [Fact]
    public void An_annotation_that_nobody_wrote_by_hand_is_not_read()
    {
        var problems = new List<string>();
        ProxyConfigAnnotation.Read($"meshId: {new string('a', 20_000)}", problems).ShouldBeNull();
        problems.ShouldBe(["it is longer than 16384 characters"]);
    }

    private static void Check(string[] found, string expected)
    {
        var wanted = expected.Split('|', StringSplitOptions.RemoveEmptyEntries);
        found.Length.ShouldBe(wanted.Length, string.Join('\n', found));
        foreach (var (line, start) in found.Zip(wanted))
        {
            line.ShouldStartWith(start);
        }
    }
}
